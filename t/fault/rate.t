# The rate is exact, and holds whatever is late: commits, the dispatcher itself, another that takes over; whatever changes: the rate itself, the
# configuration.  Measured by the gateway's time stamps, and by the sender's own clock, which the gateway's turn on a busy machine does not blur.
#
# tools/test --long has 20 000 a second too, to a gateway that is nginx: its access log has the time stamps.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Fault;
use Campaign::Hold;
use Campaign::Sending;
use Campaign::Server;
use Test::More;
use Time::HiRes qw(sleep time);

gateway(sub { 200 });

my $log = "$ENV{TEST_NGINX_SERVROOT}/logs/fast.log";
my $own = "127.0.0.1:$ENV{TEST_NGINX_SERVER_PORT}";
my $server = Campaign::Server->new(workers => 2, http => "log_format stamps \$msec; upstream fast { server $own; keepalive 1024; keepalive_requests 1000000; }", server => join('', map { channel($_, 'concurrency=1000') }
    qw(LATE STOP STEADY KILL SLOW SLOWER CHANGED SPENT)) . channel('FAST', 'concurrency=10000', "proxy_pass http://fast/fast;\nproxy_buffering off;")
    . "keepalive_requests 1000000; location = /fast { access_log $log stamps buffer=64k flush=1s; return 204; }");
my $hold = Campaign::Hold->new;

# ten seconds of it
my %slow = (SLOW => account(rate => 50, burst => 5), SLOWER => account(rate => 0.5, burst => 1));
my %many = (SLOW => 506, SLOWER => 6);

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

    # for long: its lock is held, so no other one claims anything
    my $again = start($account, 'STOP', to => [numbers(4000)]);
    ok(wait_for(sub { requests('STOP') >= 3300 }), 'another campaign is under way');
    my $pid = $server->dispatcher;
    ok($hold->stop($pid), 'its dispatcher is stopped');
    sleep 0.2;                                  # what had gone out arrives
    my $seen = requests('STOP');
    sleep(long() ? 60 : 5);
    is(scalar requests('STOP'), $seen, 'nobody sends in its place');
    is($server->dispatcher, $pid, 'nor takes over');
    $server->signal(CONT => $pid);
    is(counts(settled($account, $again, 30)), 'completed: 4000 sent of 4000', 'continued, and it ends');
    is(scalar requests('STOP'), 7000, 'none came twice');
    within('STOP', 1000, 50);
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

{
    my %c = map { $_ => start($slow{$_}, $_, to => [numbers($many{$_})]) } keys %slow;
    is(counts(settled($slow{$_}, $c{$_}, 20)), "completed: $many{$_} sent of $many{$_}", "$_ ends") for sort keys %slow;

    my @t = sent('SLOW');
    my ($stretch) = (sort { $a <=> $b } map { 25 / ($t[$_ + 25] - $t[$_]) } map { 5 + 25 * $_ } 0 .. 18)[9];         # as above
    my $rate = 500 / ($t[505] - $t[5]);
    cmp_ok(abs($_ - 50), '<=', 0.5, 'fifty a second are exact within a hundredth') or diag $_ for $stretch, (long() ? $rate : ());
    within('SLOW', 50, 5);

    my @slower = sent('SLOWER');
    my @gaps = map { $slower[$_] - $slower[$_ - 1] } 1 .. 5;
    is(scalar(grep { $_ < 1.98 } @gaps), 0, 'half a message a second is one each two seconds, not before') or diag "@gaps";
    cmp_ok((sort { $a <=> $b } @gaps)[2], '<=', 2.02, 'and not after') or diag "@gaps";
    note sprintf 'rates %.3f and %.4f', $rate, 5 / ($slower[5] - $slower[0]);
}

# a change of the rate, and at once the configuration is read anew
{
    my $account = account(rate => 100, burst => 1);
    my $c = start($account, 'CHANGED', to => [numbers(1200)]);
    ok(wait_for(sub { requests('CHANGED') >= 50 }), 'a campaign is under way');
    my @said;
    for my $rate (400, 50, 500) {
        answered(admin()->put('/accounts/' . $account->id, { rate => $rate, burst => 1 }), 200, "$rate a second from now on");
        push @said, [time, $rate];
        $server->signal('HUP');
        sleep 1.5;
    }
    is(counts(settled($account, $c, 20)), 'completed: 1200 sent of 1200', 'it ends');
    my @t = sent('CHANGED');
    for (@said) {
        my ($at, $rate) = @$_;
        my @n = grep { $_ >= $at + 0.1 && $_ < $at + 1.1 } @t;      # a tenth: the tick, and the time that the reply and the clocks of two processes take
        cmp_ok(scalar @n, '<=', $rate + 2, 'a tick later no more go than it says');
        cmp_ok(scalar @n, '>=', 0.5 * $rate, 'and no less, but for the tenths in which the dispatcher changes hands, on a busy machine');
        note "$rate a second: " . @n;
    }
}

# the burst is spent, 50 s of the rate that was: a new rate does not wait for them
{
    my $account = account(rate => 2, burst => 100);
    my $c = start($account, 'SPENT', to => [numbers(400)]);
    ok(wait_for(sub { requests('SPENT') >= 100 }), 'a burst has gone');
    answered(admin()->put('/accounts/' . $account->id, { rate => 200, burst => 1 }), 200, 'two hundred a second from now on');
    my $at = time;
    ok(wait_for(sub { requests('SPENT') >= 250 }, 3), 'what was claimed goes by the new rate');
    is(counts(settled($account, $c, 3)), 'completed: 400 sent of 400', 'it ends');
    my $n = grep { $_ >= $at + 0.1 && $_ < $at + 1.1 } sent('SPENT');       # as above
    cmp_ok($n, '>=', 100, 'a tick later it holds');
    within('SPENT', 200, 100);
    note "200 a second: $n";
}

if (long()) {
    my $account = account(rate => 20000, burst => 200);
    my $many = 220_000;
    my @c = map { start($account, 'FAST', to => [numbers(55_000)]) } 1 .. 4;
    is(counts(settled($account, $_, 40)), 'completed: 55000 sent of 55000', 'as fast as a machine can') for @c;
    wait_for { -s $log >= 15 * $many - 10 } 5;
    open my $in, '<', $log or die "$log: $!";
    chomp(my @t = sort { $a <=> $b } <$in>);
    is(scalar @t, $many, 'the gateway has all');
    my $rate = 200_000 / ($t[210_000] - $t[10_000]);
    cmp_ok(abs($rate - 20000), '<=', 200, '20 000 a second are exact within a hundredth over ten seconds') or diag $rate;
    # both workers stamp with a clock that they read once in a turn of their event loops
    cmp_ok(most(1, @t), '<=', 20000 * 1.005 + 200, 'no second holds more than rate and burst');
    note sprintf '%.1f a second, at most %d in one', $rate, most(1, @t);
}

undef $hold;
is($server->alerts(qr/exited on signal 9/), '', 'nothing in the log');
ok($server->quit, 'the server ends');
done_testing();
