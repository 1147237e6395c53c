# Reloads, new binaries, stops, kills and processes that stand still, one after the other in mid-campaign: nothing is lost, repeats come only from kills
# and fast stops and are at most what was in flight, the rate holds, and nothing piles up.
#
# tools/test --long runs it longer, and once more with LMDB 0.9.31, whose processes race when they start and end.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Chance;
use Campaign::Fault;
use Campaign::Sending;
use Campaign::Server;
use List::Util qw(max sum);
use Test::More;
use Time::HiRes qw(sleep time);

plain_only();

my $seconds = long() ? 90 : 10;
my $slots = 64;
my ($rate, $burst) = (500, 20);
my $latency = long() ? 3 : 0.3;

# some answers are slow; which, is in the number
gateway(sub { my $n = decode($_[0]{body})->{data}{to}[0]; { delay => $n % 50 == 0 ? $latency : $n % 7 * 0.01 } });

my ($server, $account, %done, @killed, $fast, @down, $stopped);

# what may happen.  Waits until the server is whole again
my %may = (
    reload  => sub { $server->signal('HUP') },
    upgrade => sub {
        my $old = $server->{master};
        $server->signal('USR2');
        my $new = wait_for { my $pid = $server->master; $pid && $pid != $old && Campaign::Server::children($pid) >= 4 && $pid } 10;
        return fail('a new master has workers') if !$new;
        $server->signal(QUIT => $old);
        Campaign::Server::gone(20, $old) or fail('the old master ends');
        $server->{master} = $new;
    },
    worker  => sub {
        my ($pid) = pick(1, sort $server->workers) or return;
        $server->signal(KILL => $pid);
        push @killed, $pid;
    },
    dispatcher => sub {
        my $pid = $server->dispatcher or return;
        $server->signal(KILL => $pid);
        push @killed, $pid;
    },
    master  => sub {
        my $at = time;
        my @all = $server->workers;
        $server->crash;
        push @killed, @all;
        $server->start;
        push @down, [$at, time];
    },
    term    => sub {
        my $at = time;
        my @all = ($server->{master}, $server->workers);
        $server->signal('TERM');
        Campaign::Server::gone(20, @all) or fail('TERM ends the server');
        $fast++;
        $server->start;
        push @down, [$at, time];
    },
    still   => sub {
        my ($pid) = pick(1, sort $server->workers) or return;
        my $at = time;
        kill STOP => $pid or return;
        sleep 0.3 + chance(long() ? 1700 : 700) / 1000;
        kill CONT => $pid;
        $stopped++;
        push @down, [$at, time];
    },
);
my @often = ((map { $_ } keys %may), qw(reload reload reload worker dispatcher));

sub storm {
    my ($title, %env) = @_;

    (%done, @killed, @down) = ();
    ($fast, $stopped) = (0, 0);
    my $many = int($rate * ($seconds + 2));
    my $before = requests('STORM');

    $server = Campaign::Server->new(workers => 4, env => \%env, server => channel('STORM', "concurrency=$slots"));
    $account = account(rate => $rate, burst => $burst);
    my $c = start($account, 'STORM', to => [numbers($many)]);
    my ($fds, $rss);

    my $until = time + $seconds;
    wait_for { requests('STORM') > $before + 50 };
    while (time < $until) {
        my ($what) = pick(1, sort @often);
        $may{$what}->();
        $done{$what}++;
        wait_for { $server->workers >= 4 } 5;
        sleep 0.05 + chance(300) / 1000;
        if (!$fds && time > $until - $seconds / 2) { ($fds, $rss) = resources() }
    }
    # each reload waits for the slow answers, so nearly all may be left
    my $end = settled($account, $c, 60 + $many / $rate);

    is(counts($end), "completed: $many sent of $many", "$title: all of it is sent");
    my @all = requests('STORM');
    my @r = @all[$before .. $#all];
    my (%ids, %to);
    for my $r (@r) { my $n = decode($r->{body})->{data}{to}[0]; $to{$n}++; $ids{$n}{ $r->{id} }++ }
    is(scalar(keys %to), $many, 'each number was reached');
    is(scalar(grep { keys %$_ > 1 } values %ids), 0, 'a repeat has the same id');

    my $repeats = @r - $many;
    cmp_ok($repeats, '<=', $slots * (@killed + $fast), 'repeats are at most what was in flight when something was killed');
    is($repeats, 0, 'and there are none without') if !@killed && !$fast;

    my @times = sort { $a <=> $b } map { $_->{time} } @r;
    my $most = most(1, @times);
    cmp_ok($most, '<=', $burst + $rate * 1.1, 'no second holds more than rate and burst, as the gateway sees it: give or take 100 ms');

    my @gaps = sort { $a <=> $b } map {
        my ($from, $to) = @times[$_ - 1, $_];
        (grep { $from < $_->[1] + 0.5 && $to > $_->[0] } @down) ? () : $to - $from
    } 1 .. $#times;
    cmp_ok($gaps[@gaps * 0.99], '<=', 0.2, 'deliveries follow each other: 99 % of the gaps are below 0.2 s');

    # the dispatcher keeps up to 64 connections to the gateway, a new one has none yet
    ok(wait_for(sub { my ($now) = resources(); $server->workers == 4 && $now <= $fds + 64 + 16 }, 10), 'no descriptors pile up') or diag join ' ', resources(), $fds;
    my (undef, $now) = resources();
    cmp_ok($now, '<', $rss * 1.5 + 20_000, 'nor memory');
    is($server->alerts(qr/exited on signal 9|could not be opened: \(2|write\(\) to .* failed/), '', 'the log tells of those that were killed, and of nothing else');
    diag sprintf '%s: %s; %d messages, %d repeats, at most %d in a second, longest gap %.0f ms while it was up', $title, join(', ', map { "$done{$_} x $_" } sort keys %done),
        $many, $repeats, $most, 1000 * $gaps[-1];

    ok($server->quit, 'the server ends');
    sound(store_dir());
}

# descriptors and kB of all workers
sub resources {
    my ($fds, $rss) = (0, 0);
    for my $pid ($server->workers) {
        opendir my $dir, "/proc/$pid/fd" or next;
        $fds += grep { /\d/ } readdir $dir;
        open my $in, '<', "/proc/$pid/statm" or next;
        $rss += 4 * (split ' ', <$in> // '0 0')[1];
    }
    return ($fds, $rss);
}

storm('LMDB of this system');

if (long() && $ENV{CAMPAIGN_TEST_LMDB}) {
    storm('LMDB 0.9.31', LD_LIBRARY_PATH => $ENV{CAMPAIGN_TEST_LMDB});
}

done_testing();
