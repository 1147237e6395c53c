# many: 1 000 accounts, each with ten campaigns that run and ten that are scheduled, cost an idle dispatcher next to nothing, and no start waits
# for them.
#
# The accounts may send one message in 100 000 seconds, and have sent it (t/bench/load.c): what is left is waiting.  Then one more account
# schedules a campaign of one message for each of the next seconds; the lag is from the second to the gateway's receipt.

use v5.10.1;
use strict;
use warnings;

use Bench;
use POSIX qw(strftime);
use Time::HiRes qw(CLOCK_MONOTONIC clock_gettime sleep time);

my $accounts = 1000;
my $idle = of_quick(2, 10);     # seconds
my $starts = of_quick(3, 10);

my $gateway = Bench::Gateway->new('many');
my $server = Bench::Server->new('many', gateway => $gateway, fill => sub {
    system("$ENV{CAMPAIGN_BENCH_DIR}/load", 'many', $_[0], $accounts, sha256_hex('bench')) == 0 or die "the store could not be filled\n";
});
progress("$accounts accounts, each sends its first message");
wait_for(60, 'a message of each account', sub { $gateway->count >= $accounts });
sleep 1;

my ($cpu, $from) = ($server->cpu, time);
sleep $idle;
my $load = ($server->cpu - $cpu) / 1e9 / (time - $from) * 100;
die "more than one message of an account was sent\n" if $gateway->count != $accounts;

my $client = $server->account;
my $audience = $server->audience($client, 1);
my $second = int(time) + 2;
my @lag;

for my $i (1 .. $starts) {
    $server->campaign($client, audience => $audience, schedule => strftime('%Y-%m-%d %H:%M:%S', gmtime $second + $i));
}

for my $i (1 .. $starts) {
    wait_for(10, 'a start', sub { $gateway->count >= $accounts + $i });
    my $ahead = time - clock_gettime(CLOCK_MONOTONIC);
    push @lag, ($gateway->last_ns / 1e9 + $ahead - $second - $i) * 1e3;
}

my ($longest) = sort { $b <=> $a } @lag;

row('CPU of the idle dispatcher', sprintf('%.2f %%', $load), value => sprintf('%.3f', $load), most => 1, unit => '%');
row("$starts starts, the longest lag", sprintf('%.1f ms', $longest), value => sprintf('%.1f', $longest), most => 100, unit => 'ms');

$_->stop for $server, $gateway;
