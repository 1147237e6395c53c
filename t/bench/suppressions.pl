# suppressions: a delivery costs the same when the account has 1 000 000 suppressed numbers and when it has 10.
#
# None of the numbers is in the audience, so each message that is claimed is looked up in vain.  The figure is CPU of the worker, all its threads, a message
# that the gateway has counted; in turns.

use v5.10.1;
use strict;
use warnings;

use Bench;

my $rounds = of_quick(2, 7);
my $n = of_quick(20_000, 50_000);
my $many = of_quick(100_000, 1_000_000);

my $gateway = Bench::Gateway->new('suppressions');

# code that sends a campaign and returns ns of the worker a message
sub sends {
    my $suppressed = shift;
    my $server = Bench::Server->new("suppressions-$suppressed", gateway => $gateway);
    my $client = $server->account;
    my $audience = $server->audience($client, $n);

    for (my $i = 0; $i < $suppressed; $i += 100_000) {
        my $last = $i + 100_000 < $suppressed ? $i + 100_000 : $suppressed;
        $client->call(POST => '/v1/suppressions', 'text/csv', join "\n", 'number', map { 15550000000 + 7 * $_ } $i .. $last - 1);
    }

    my $send = sub { $server->cost($gateway, sub { $server->send($client, $gateway, $audience, $n) }) };

    $send->();
    return ($server, $send);
}

my ($few_server, $few) = sends(10);
my ($many_server, $million) = sends($many);
my %got = rounds($rounds, few => $few, many => $million);

row('10 numbers are suppressed', sprintf '%.1f us CPU', median(@{ $got{few} }) / 1000);
row("$many are ÷ that", sprintf('%.1f us CPU', median(@{ $got{many} }) / 1000), ratio => ratio($got{many}, $got{few}), most => 1.1);

$_->stop for $few_server, $many_server, $gateway;
