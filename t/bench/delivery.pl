# delivery: a delivery, durably recorded, costs the worker less than a request that it proxies for a client to the same gateway.
#
# In turns: wrk with as many connections as the gateway's concurrency sends the body that a delivery has to a location that proxies it; a campaign
# is sent.  The figure is CPU of the worker, all its threads, a request that the gateway has counted.  The gateway's reply has an id, which is looked for and
# kept with the message; without that, and with more of them under way, which share a commit, a delivery costs less.  What the kernel takes for one
# request and its answer on a connection that is kept nobody can save: wrk, which does little else, sends the same to the gateway itself.
# needs: wrk=wrk

use v5.10.1;
use strict;
use warnings;

use Bench;

my $rounds = of_quick(2, 5);
my $n = of_quick(20_000, 100_000);
my $seconds = of_quick(1, 2);

my $gateway = Bench::Gateway->new('delivery');
my $server = Bench::Server->new('delivery', gateway => $gateway);
my $client = $server->account;
my %audience = map { $_ => $server->audience($client, $n, $_) } qw(SMS VIBER WIDE RCS MMS);
my $body = '{"data":{"from":"Acme","to":["33199000000"],"text":"Hello Chloe, our sale starts today.","channel":"SMS",'
    . '"id":"018f3b5e-7a3c-8c1e-9d3a-0123456789ab"}}';
my %wall;

# ns of the worker a request that came to the gateway
sub cost {
    my $code = shift;
    my ($count, $cpu) = ($gateway->count, $server->cpu);
    $code->();
    return ($server->cpu - $cpu) / ($gateway->count - $count);
}

sub wrk {
    return Bench::Load::wrk(shift, connections => 256, seconds => $seconds,
                            headers => { 'Content-Type' => 'application/json', 'Idempotency-Key' => '018f3b5e-7a3c-8c1e-9d3a-0123456789ab' },
                            script => "wrk.method = 'POST'\nwrk.body = [[$body]]\n");
}

sub proxied { cost(sub { wrk($server->url('/proxied')) }) }

# ns of wrk a request
sub bare {
    my (undef, undef, @before) = times;
    my $got = wrk('http://127.0.0.1:' . $gateway->port . '/v1/messages');
    my (undef, undef, @after) = times;
    return ($after[0] + $after[1] - $before[0] - $before[1]) * 1e9 / $got->{requests};
}

sub delivery {
    my $channel = shift;
    return sub {
        cost(sub {
            $gateway->reset;
            $server->send($client, $gateway, $audience{$channel}, $n, $channel);
            push @{ $wall{$channel} }, $n / $gateway->span * 1e9;
        });
    };
}

delivery('SMS')->();                                    # the store grows, connections are made
%wall = ();
my %got = rounds($rounds, bare => \&bare, proxied => \&proxied, map { $_ => delivery($_) } qw(SMS VIBER WIDE RCS MMS));

row('a request proxied for a client', sprintf '%.1f us CPU', median(@{ $got{proxied} }) / 1000);
row('a delivery, recorded ÷ that', sprintf('%.1f us CPU', median(@{ $got{SMS} }) / 1000), ratio => ratio($got{SMS}, $got{proxied}), most => 0.65);
row("with id=off", sprintf('%.1f us CPU', median(@{ $got{VIBER} }) / 1000), ratio => ratio($got{VIBER}, $got{proxied}));
row('with concurrency=1024', sprintf('%.1f us CPU', median(@{ $got{WIDE} }) / 1000), ratio => ratio($got{WIDE}, $got{proxied}));
row('with receipts to come, by=id', sprintf('%.1f us CPU', median(@{ $got{RCS} }) / 1000), ratio => ratio($got{RCS}, $got{proxied}));
row('with receipts to come, by=gateway_id', sprintf('%.1f us CPU', median(@{ $got{MMS} }) / 1000), ratio => ratio($got{MMS}, $got{proxied}));
row('wrk, a request ÷ that', sprintf('%.1f us CPU', median(@{ $got{bare} }) / 1000), ratio => ratio($got{bare}, $got{proxied}));
row('deliveries by the clock', sprintf '%d/s', median(@{ $wall{SMS} }));
row('with concurrency=1024', sprintf '%d/s', median(@{ $wall{WIDE} }));

$_->stop for $server, $gateway;
