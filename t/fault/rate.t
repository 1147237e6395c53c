# The rate holds whatever is late: commits, the dispatcher itself, another that takes over.  Measured by the gateway's time stamps, and by the
# sender's own clock, which the gateway's turn on a busy machine does not blur.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Hold;
use Campaign::Sending;
use Campaign::Server;
use Test::More;
use Time::HiRes qw(sleep time);

gateway(sub { 200 });

my $server = Campaign::Server->new(workers => 2, server => join '', map { channel($_, 'concurrency=1000') } qw(LATE STOP STEADY KILL));
my $hold = Campaign::Hold->new;

sub stamps { sort { $a <=> $b } map { $_->{time} } requests($_[0]) }
sub sent { sort { $a <=> $b } map { $_->{header}{'x-sent'} } requests($_[0]) }

# no window of a second holds more than rate and burst, and what goes in the 5 ms that a timer may be late, in which the gateway reads them
sub within {
    my ($channel, $rate, $burst) = @_;
    my @by = ([sent($channel)], [stamps($channel)]);
    my @most = map { most(1, @$_) } @by;
    cmp_ok($most[0], '<=', $rate + $burst + $rate * 0.005, "$channel: no second holds more than rate and burst");
    cmp_ok($most[1], '<=', $rate + $burst + $rate * 0.1, 'nor does it as the gateway sees it: give or take 100 ms');
    cmp_ok(most(0.1, @{ $by[0] }), '<=', 1.2 * $rate / 10 + $burst, 'no tenth of a second more than 1.2 times its share, and the burst');
    note "$channel: $most[0] by the sender's clock, $most[1] by the gateway's";
}

{
    my $account = account(rate => 500, burst => 20);
    my $c = start($account, 'LATE', to => [numbers(2500)]);
    ok(wait_for(sub { requests('LATE') >= 300 }), 'a campaign is under way');
    for my $n (1 .. 3) {
        # the second and third find a dispatcher that claims far ahead, because its turns take long
        ok($hold->hold(450) && $hold->done, 'its commits come late');
        sleep 0.05;
    }
    is(counts(settled($account, $c, 20)), 'completed: 2500 sent of 2500', 'it ends');
    within('LATE', 500, 20);
}

{
    my $account = account(rate => 1000, burst => 50);
    my $c = start($account, 'STOP', to => [numbers(3000)]);
    ok(wait_for(sub { requests('STOP') >= 300 }), 'a campaign is under way');
    for (1 .. 3) {
        my $pid = $server->dispatcher;
        ok($hold->stop($pid), 'its dispatcher is stopped');
        sleep 0.3;
        $server->signal(CONT => $pid);
        sleep 0.2;
    }
    is(counts(settled($account, $c, 20)), 'completed: 3000 sent of 3000', 'continued, and it ends');
    within('STOP', 1000, 50);
    is(scalar requests('STOP'), 3000, 'none came twice');
}

{
    my $account = account(rate => 400, burst => 100);
    my $c = start($account, 'KILL', to => [numbers(2000)]);
    for my $n (300, 700, 1100) {
        wait_for { requests('KILL') >= $n };
        my $pid = wait_for { $server->dispatcher };
        $server->signal(KILL => $pid);
        wait_for { ($server->dispatcher // $pid) != $pid };
    }
    is(counts(settled($account, $c, 20)), 'completed: 2000 sent of 2000', 'dispatchers are killed, and the campaign ends');
    within('KILL', 400, 100);
}

{
    my $account = account(rate => 1000, burst => 100);
    my $c = start($account, 'STEADY', to => [numbers(5000)]);
    is(counts(settled($account, $c, 20)), 'completed: 5000 sent of 5000', 'left alone');
    my @t = stamps('STEADY');
    # a machine that stands still for longer than the burst makes up for costs rate: the median of stretches of half a second
    my ($rate) = (sort { $a <=> $b } map { 500 / ($t[$_ + 500] - $t[$_]) } map { 150 + 500 * $_ } 0 .. 8)[4];
    cmp_ok(abs($rate - 1000), '<=', 10, 'the rate is exact within a hundredth') or diag $rate;
    within('STEADY', 1000, 100);
    note "rate $rate";
}

undef $hold;
is($server->alerts(qr/exited on signal 9/), '', 'nothing in the log');
ok($server->quit, 'the server ends');
done_testing();
