# queue: what store and dispatcher add to a delivery.
#
# In turns: a campaign is sent; a module for this case alone (ngx_http_bench_module.c) makes as many deliveries of the same text to the same gateway,
# as many at once, without a store to take them from and to record them in.  The figure is CPU of the worker, all its threads, a message.

use v5.10.1;
use strict;
use warnings;

use Bench;

my $rounds = of_quick(2, 7);
my $n = of_quick(20_000, 100_000);

my $gateway = Bench::Gateway->new('queue');
my $server = Bench::Server->new('queue', gateway => $gateway,
                                main => "load_module $ENV{CAMPAIGN_BENCH_DIR}/ngx_http_bench_module.so;",
                                server => 'location /bare { bench_bare; }');
my $client = $server->account;
my $audience = $server->audience($client, $n);

sub cost {
    my $code = shift;
    my ($count, $cpu) = ($gateway->count, $server->cpu);
    $code->();
    return ($server->cpu - $cpu) / ($gateway->count - $count);
}

sub bare { cost(sub { $client->get("/bare?$n") }) }
sub whole { cost(sub { $server->send($client, $gateway, $audience, $n) }) }

whole();
my %got = rounds($rounds, bare => \&bare, whole => \&whole);
my $added = median(map { $got{whole}[$_] - $got{bare}[$_] } 0 .. $rounds - 1) / 1000;

row('a bare background request', sprintf '%.1f us CPU', median(@{ $got{bare} }) / 1000);
row('a delivery, recorded', sprintf('%.1f us CPU', median(@{ $got{whole} }) / 1000), ratio => ratio($got{whole}, $got{bare}));
row('the difference', sprintf('%.2f us CPU', $added), value => sprintf('%.3f', $added), most => 2, unit => 'us');

$_->stop for $server, $gateway;
