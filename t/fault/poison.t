# Messages that kill whoever sends them: after a bounded number of crashes each is set aside, and all others go, those that were in flight
# beside it too.  Kills from outside set nothing aside.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Fault;
use Campaign::Sending;
use Campaign::Server;
use Test::More;

plain_only();

# one dies when it is sent, one of its answer
my %poison = (SENT => '15551110020', READ => '15551110021');
my @channels = qw(SENT READ CLEAN);
my $slots = long() ? 250 : 60;                  # all in flight with one that kills are suspects, and go one by one

gateway(sub {
    my $r = shift;
    my $to = decode($r->{body})->{data}{to}[0];
    return { until => 'lives' } if $r->{path} eq '/slow';
    return { delay => 0.05, headers => ['X-Poison: kills'] } if $to eq $poison{READ};
    return { delay => 0.05 };
});

my $server = Campaign::Server->new(workers => 3, server => join('', map { channel($_, 'concurrency=250') } @channels, 'SLOW'),
    env => { LD_PRELOAD => tool('preload_poison.so'), CAMPAIGN_POISON_SENT => $poison{SENT}, CAMPAIGN_POISON_READ => 'X-Poison: kills' });
my %account = map { $_ => account(rate => 5000, burst => $slots) } @channels;
$account{$_}{senders}{$_} = $account{$_}->sender(channel => $_) for @channels;

# asked of a server whose workers die
sub ended {
    my ($account, $c) = @_;
    my $last;
    wait_for {
        my $r = eval { $account->get("/campaigns/$c->{id}") };
        $last = $r->data if $r && $r->status == 200;
        return $last && $last->{status} =~ /\A(?:completed|failed|canceled)\z/;
    } 120;
    return counts($last);
}

# whole windows, with the one that kills in the middle
my @to = numbers(400);
my %c;
for my $channel (@channels) {
    $c{$channel} = eval { start($account{$channel}, $channel, to => [@to[0 .. 199], $poison{$channel} // (), @to[200 .. 399]]) }
        // do { wait_for { $server->workers == 3 }; start($account{$channel}, $channel, to => [@to[0 .. 199], $poison{$channel} // (), @to[200 .. 399]]) };
}

is(ended($account{CLEAN}, $c{CLEAN}), 'completed: 400 sent of 400', 'another account\'s campaign is sent');
is(ended($account{$_}, $c{$_}), 'completed: 1 failed, 400 sent of 401', "$_: the message that kills is set aside, all others are sent") for sort keys %poison;
ok(wait_for(sub { $server->workers == 3 }), 'no worker dies any more');

my @poisoned;
for my $channel (sort keys %poison) {
    my $m = $account{$channel}->get("/campaigns/$c{$channel}{id}/messages?filter[status]=failed")->data;
    is($m->[0]{reason} // $m->[0]{error} // '', 'poison', 'it says why') or diag explain $m;
    push @poisoned, $m->[0]{id};
    is(join(',', map { "$_->{count} $_->{status} $_->{reason}" } @{ $account{$channel}->get("/campaigns/$c{$channel}{id}/report")->data->{reasons} }),
        '1 failed poison', 'and so does the report');
}

my $crashes = () = $server->log_text =~ /exited on signal (?:6|11)\b/g;
cmp_ok($crashes, '<=', 5 * keys %poison, 'after no more than five crashes each');
note "$crashes crashes for two messages that kill";

for my $channel (@channels) {
    my %n;
    $n{$_}++ for sent_by(requests($channel));
    is(scalar(grep { $n{$_} } @to), 400, "$channel: each number was reached");
    my ($most) = sort { $b <=> $a } map { $n{$_} // 0 } @to;
    cmp_ok($most, '<=', 2 * 5, 'none of the others was sent more often than somebody died');
    note "$channel: most often $most times";
}

my @said = $server->log_text =~ /campaign message (\S+) fails: whoever sends it dies/g;
is("@{[ sort @said ]}", "@{[ sort @poisoned ]}", 'the log names both');

# kills from outside, one after the other, with the same message in flight
$account{CLEAN}{senders}{SLOW} = $account{CLEAN}->sender(channel => 'SLOW');
my $slow = start($account{CLEAN}, 'SLOW', to => [$to[0]]);
for my $n (1 .. 8) {
    wait_for { requests('SLOW') >= $n } 20 or last;
    my $pid = $server->dispatcher;
    $server->signal(KILL => $pid) if $pid;
}
ok(wait_for(sub { requests('SLOW') >= 9 }, 20), 'a message that was in flight at eight kills in a row goes again');
gateway()->tell('lives');
is(ended($account{CLEAN}, $slow), 'completed: 1 sent of 1', 'and is sent');

is($server->alerts(qr/exited on signal (?:6|9|11)\b/), '', 'the log tells of the dead ones, and of nothing else');
ok($server->quit, 'the server ends');
sound(store_dir());
done_testing();
