# Workers that die while they carry out a POST: with its key it is carried out once, whenever that was.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Server;
use IO::Socket::INET;
use Test::More;
use Time::HiRes qw(sleep time);

my $rounds = $ENV{ROUNDS} // 40;
my $server = Campaign::Server->new(workers => 2, server => "campaign_gateway SMS /_gateway; location /_gateway { internal; return 200; }");
my $port = $ENV{TEST_NGINX_SERVER_PORT};
my $account = account();

# which worker a connection belongs to is not known: all of them die
sub kill_workers { kill KILL => $server->workers }

# the request is written, and after a moment the workers die; what was answered before that, if anything
sub cut {
    my ($bytes, $wait) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 5) or return undef;
    local $SIG{PIPE} = 'IGNORE';
    print $s $bytes;
    $s->flush;
    my $until = time + $wait;
    1 while time < $until;
    kill_workers();
    local $/;
    my $in = <$s> // '';
    return Campaign::Answer->take(\$in, 0, 1);
}

my ($answered, $replayed, $anew, @wrong) = (0, 0, 0);

for my $round (1 .. $rounds) {
    my $body = json({ data => { text => "text $round", channel => 'SMS' } });
    my $request = request(POST => '/v1/templates', [$account->header, 'Content-Type: application/json', "Idempotency-Key: cut-$round", 'Connection: close'], $body);
    my $first = cut($request, ($round % 20) * 0.0002);
    my $again;
    wait_for {
        $again = nobody($account->key)->post('/templates', $body, 'Idempotency-Key' => "cut-$round");
        return $again->status == 201;
    } 5;
    push @wrong, "round $round: " . $again->status . ' ' . $again->body if $again->status != 201;
    push @wrong, "round $round: another body" if $first && $first->status == 201 && $first->body ne $again->body;
    $answered++ if $first;
    $again->header('idempotency-replayed') ? $replayed++ : $anew++;
}

is_deeply(\@wrong, [], "after each of $rounds kills the key is free or its answer known");

my $page = nobody($account->key)->get('/templates?page_size=100');
is($page->page->{total}, $rounds, 'each request was carried out once');
my %texts = map { $_->{text} => 1 } @{ $page->data };
is(scalar keys %texts, $rounds, 'all of them');
diag("answered before the kill: $answered; carried out before it: $replayed, after it: $anew");

is($server->alerts(qr/exited on signal 9|took over|ignore long locked/), '', 'nobody complains but of those that were killed');

done_testing();
