# Reloads in mid-campaign: nothing lost, nothing doubled, the rate holds.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Sending;
use Campaign::Server;
use Test::More;
use Time::HiRes qw(time);

my $many = 1200;

gateway(sub { { delay => 0.03 } });

my $server = Campaign::Server->new(workers => 2, server => channel('RELOAD', 'concurrency=64'));

# a limiter that a new dispatcher began anew would let a burst go each time
my ($rate, $burst) = (300, 200);
my $account = account(rate => $rate, burst => $burst);
my $c = start($account, 'RELOAD', to => [numbers($many)]);

my ($reloads, $next) = (0, 0);
my ($end, @refused);

wait_for {
    if (time >= $next && requests('RELOAD') && $reloads < 25) {
        $server->signal('HUP');
        $reloads++;
        $next = time + 0.1;
    }
    # a connection of its own for each call: one that is kept open may be closed by a worker that ends
    my $r = nobody($account->key)->get("/campaigns/$c->{id}");
    return push @refused, $r->status . ' ' . $r->body if $r->status != 200;
    $end = $r->data;
    return $end->{status} eq 'completed';
} 30;

cmp_ok($reloads, '>=', 20, 'reloaded each tenth of a second');
is_deeply(\@refused, [], 'and each call was answered');
is(counts($end), "completed: $many sent of $many", 'the campaign ends');

my @r = requests('RELOAD');
is(join(',', sent_by(@r)), join(',', numbers($many)), 'each number was reached once');
is(scalar(keys %{ { map { $_->{id} => 1 } @r } }), $many, 'with an id of its own');
is(scalar(grep { $_->{header}{'x-attempt'} != 1 } @r), 0, 'at the first attempt');

my @times = sort { $a <=> $b } map { $_->{time} } @r;
cmp_ok(most(1, @times), '<=', $burst + $rate * 1.1, 'no second holds more than rate and burst, as the gateway sees it: give or take 100 ms');
note sprintf '%d reloads, %.2f s, at most %d in a second, longest gap %.3f s', $reloads, $times[-1] - $times[0], most(1, @times),
    (sort { $b <=> $a } map { $times[$_] - $times[$_ - 1] } 1 .. $#times)[0];

my $taken = () = $server->log_text =~ /took over/g;
cmp_ok($taken, '>', 3, 'dispatchers of many generations took part');

ok(wait_for(sub { $server->workers == 2 }, 10), 'the old workers have ended');
is($server->alerts, '', 'nothing in the log');
ok($server->quit, 'the server ends');
done_testing();
