# The date jumps by an hour, forth and back, while campaigns are sent, and while the server is down: rate and pace do not follow it, schedules do.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Fault;
use Campaign::Sending;
use Campaign::Server;
use POSIX qw(strftime);
use Test::More;
use Time::HiRes qw(time);

plain_only();

my $hour = 3600;
my ($env, $clock) = moved_date();
my $ahead = 0;

sub jump { $ahead += shift; $clock->set(seconds => $ahead) }
sub date { strftime('%Y-%m-%d %H:%M:%S', gmtime(time + $ahead + shift)) }

gateway(sub { 200 });

my $server = Campaign::Server->new(workers => 2, env => $env, server => join '', map { channel($_, 'concurrency=64') } qw(PACED DOWN PLAN));
my ($rate, $burst) = (300, 30);

# by the gateway's clock, which nobody moves
sub steady {
    my ($channel, $most) = @_;
    my @times = sort { $a <=> $b } map { $_->{time} } requests($channel);
    my ($gap) = sort { $b <=> $a } map { $times[$_] - $times[$_ - 1] } 1 .. $#times;
    cmp_ok(most(1, @times), '<=', $rate + $burst + $rate * 0.1, "$channel: no second holds more than rate and burst, give or take 100 ms");
    cmp_ok($gap, '<=', $most, 'nor does it stand still');
    note sprintf '%s: %d in a second at most, the longest gap %.3f s', $channel, most(1, @times), $gap;
}

# by its server's clock: an hour hence, which is now
my $plan = account();
my $c = start($plan, 'PLAN', schedule => date($hour / 2));
my $late = start($plan, 'PLAN', schedule => date(2 * $hour));

my $account = account(rate => $rate, burst => $burst);
my $paced = start($account, 'PACED', to => [numbers(1500)]);
my $n = 0;
for my $step ($hour, -$hour, -$hour, $hour) {
    $n += 250;
    ok(wait_for(sub { requests('PACED') >= $n }), "$n are sent");
    jump($step);
    if ($n == 250) {
        is(counts(settled($plan, $c, 2)), 'completed: 1 sent of 1', 'a campaign that was to start in the hour that was skipped has started');
        is($plan->get("/campaigns/$late->{id}")->data->{status}, 'scheduled', 'one that was to start later has not');
    }
}
is(counts(settled($account, $paced, 20)), 'completed: 1500 sent of 1500', 'the campaign ends');
is(join(',', sent_by(requests('PACED'))), join(',', numbers(1500)), 'each number was reached once');
steady('PACED', 0.5);

# what the store knows of the account's rate is of another hour then
$account = account(rate => $rate, burst => $burst);
my $down = start($account, 'DOWN', to => [numbers(900)]);
my $off = 0;
$n = 0;
for my $step (-$hour, $hour) {
    $n += 250;
    ok(wait_for(sub { requests('DOWN') >= $n }), "$n are sent");
    my $from = time;
    ok($server->quit, 'the server is stopped');
    jump($step);
    $server->start;
    $off = time - $from if time - $from > $off;
}
is(counts(settled($account, $down, 20)), 'completed: 900 sent of 900', 'the campaign ends');
is(join(',', sent_by(requests('DOWN'))), join(',', numbers(900)), 'each number was reached once');
steady('DOWN', $off + 0.5);

ok($server->quit, 'the server ends');
is($server->alerts, '', 'nothing in the log');
done_testing();
