# delivery: a delivery, durably recorded, costs the worker less than a request that it proxies for a client to the same gateway.
#
# In turns: wrk with as many connections as the gateway's concurrency sends the body that a delivery has to a location that proxies it; a campaign
# is sent.  The figure is CPU of the worker, all its threads, a request that the gateway has counted.
# needs: wrk=wrk

use v5.10.1;
use strict;
use warnings;

use Bench;

my $rounds = of_quick(2, 5);
my $n = of_quick(20_000, 100_000);
my $seconds = of_quick(1, 3);

my $gateway = Bench::Gateway->new('delivery');
my $server = Bench::Server->new('delivery', gateway => $gateway);
my $client = $server->account;
my $audience = $server->audience($client, $n);
my $body = '{"data":{"from":"Acme","to":["33199000000"],"text":"Hello Chloe, our sale starts today.","channel":"SMS",'
    . '"id":"018f3b5e-7a3c-8c1e-9d3a-0123456789ab"}}';
my @wall;

# ns of the worker a request that came to the gateway
sub cost {
    my $code = shift;
    my ($count, $cpu) = ($gateway->count, $server->cpu);
    $code->();
    return ($server->cpu - $cpu) / ($gateway->count - $count);
}

sub proxied {
    cost(sub {
        Bench::Load::wrk($server->url('/proxied'), connections => 256, seconds => $seconds,
                         headers => { 'Content-Type' => 'application/json', 'Idempotency-Key' => '018f3b5e-7a3c-8c1e-9d3a-0123456789ab' },
                         script => "wrk.method = 'POST'\nwrk.body = [[$body]]\n");
    });
}

sub delivery {
    cost(sub {
        $gateway->reset;
        $server->send($client, $gateway, $audience, $n);
        push @wall, $n / $gateway->span * 1e9;
    });
}

delivery();                                             # the store grows, connections are made
@wall = ();
my %got = rounds($rounds, proxied => \&proxied, delivery => \&delivery);

row('a request proxied for a client', sprintf '%.1f us CPU', median(@{ $got{proxied} }) / 1000);
row('a delivery, recorded ÷ that', sprintf('%.1f us CPU', median(@{ $got{delivery} }) / 1000),
    ratio => ratio($got{delivery}, $got{proxied}), most => 0.65);
row('the same by the clock', sprintf '%d/s', median(@wall));

$_->stop for $server, $gateway;
