# latency: a campaign of one message on an idle server, from its request to the gateway's receipt of the message.
#
# The request's first byte and the gateway's read are on one clock.

use v5.10.1;
use strict;
use warnings;

use Bench;
use Time::HiRes qw(CLOCK_MONOTONIC clock_gettime sleep);

my $n = of_quick(100, 1000);

my $gateway = Bench::Gateway->new('latency');
my $server = Bench::Server->new('latency', gateway => $gateway);
my $client = $server->account;
my $audience = $server->audience($client, 1);
my @ms;

for my $i (0 .. $n) {
    my $count = $gateway->count;
    my $from = clock_gettime(CLOCK_MONOTONIC);
    $server->campaign($client, audience => $audience);
    wait_for(10, 'the message', sub { $gateway->count > $count });
    push @ms, $gateway->last_ns / 1e6 - $from * 1e3 if $i;
    sleep 0.005 + 0.01 * rand;                          # idle again, and at no fixed beat with the server's timers
}

row("$n campaigns of one message, median", sprintf '%.2f ms', median(@ms));
row('the same, p99', sprintf('%.2f ms', percentile(99, @ms)), value => sprintf('%.2f', percentile(99, @ms)), most => 5, unit => 'ms');

$_->stop for $server, $gateway;
