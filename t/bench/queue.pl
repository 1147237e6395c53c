# queue: what store and dispatcher add to a delivery.
#
# In turns: a campaign is sent; a module for this case alone (ngx_http_bench_module.c) makes as many deliveries of the same text to the same gateway,
# as many at once, without a store to take them from and to record them in.  The figure is CPU of the worker, all its threads, a message.

use v5.10.1;
use strict;
use warnings;

use Bench;

my $rounds = of_quick(2, 5);
my $n = of_quick(20_000, 100_000);

my $gateway = Bench::Gateway->new('queue');
my $server = Bench::Server->new('queue', gateway => $gateway,
                                main => "load_module $ENV{CAMPAIGN_BENCH_DIR}/ngx_http_bench_module.so;",
                                server => 'location /bare { bench_bare; }');
my $client = $server->account;
my %audience = map { $_ => $server->audience($client, $n, $_) } qw(SMS VIBER WIDE);

sub cost { $server->cost($gateway, shift) }

sub bare { cost(sub { $client->get("/bare?$n") }) }
sub whole { my $channel = shift; sub { cost(sub { $server->send($client, $gateway, $audience{$channel}, $n, $channel) }) } }

whole('SMS')->();
my %got = rounds($rounds, bare => \&bare, map { $_ => whole($_) } qw(SMS VIBER WIDE));

# us more than a bare one, of the rounds' own differences
sub added {
    my $whole = shift;
    return median(map { $whole->[$_] - $got{bare}[$_] } 0 .. $rounds - 1) / 1000;
}

sub most { my $value = shift; return (value => sprintf('%.3f', $value), most => 2, unit => 'us') }

row('a bare background request', sprintf '%.1f us CPU', median(@{ $got{bare} }) / 1000);
row('store and dispatcher add', sprintf('%.2f us CPU', added($got{SMS})), most(added($got{SMS})));
row('with id=off', sprintf('%.2f us CPU', added($got{VIBER})));
row('with concurrency=1024', sprintf('%.2f us CPU', added($got{WIDE})));

$_->stop for $server, $gateway;
