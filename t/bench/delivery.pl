# delivery: a delivery, durably recorded, costs the worker less than a request that it proxies for a client to the same gateway.
#
# In turns: wrk with as many connections as the gateway's concurrency sends the body that a delivery has to a location that proxies it; a campaign
# is sent.  The figure is CPU of the worker, all its threads, a request that the gateway has counted.  The gateway's reply has an id, which is looked for and
# kept with the message.  The more are under way at once, the more share a commit: the bar is for 1024, where both are at their best; 256 are shown, too,
# and what the ids cost.  What the kernel takes for one request and its answer on a connection that is kept nobody can save: wrk, which does little else,
# sends the same to the gateway itself.
# needs: wrk=wrk

use v5.10.1;
use strict;
use warnings;

use Bench;

my $rounds = of_quick(1, 5);
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
sub cost { $server->cost($gateway, shift) }

sub wrk {
    my ($url, $connections) = @_;
    return Bench::Load::wrk($url, connections => $connections, seconds => $seconds,
                            headers => { 'Content-Type' => 'application/json', 'Idempotency-Key' => '018f3b5e-7a3c-8c1e-9d3a-0123456789ab' },
                            script => "wrk.method = 'POST'\nwrk.body = [[$body]]\n");
}

sub proxied { my $connections = shift; sub { cost(sub { wrk($server->url('/proxied'), $connections) }) } }

# ns of wrk a request
sub bare {
    my (undef, undef, @before) = times;
    my $got = wrk('http://127.0.0.1:' . $gateway->port . '/v1/messages', 256);
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
my %got = rounds($rounds, bare => \&bare, 256 => proxied(256), 1024 => proxied(1024), map { $_ => delivery($_) } qw(SMS VIBER WIDE RCS MMS));

sub us { sprintf '%.1f us CPU', median(@{ $got{$_[0]} }) / 1000 }
sub than { my ($name, $than, @bar) = @_; return (us($name), ratio => ratio($got{$name}, $got{$than}), @bar) }

row('a request proxied for a client, 1024 at once', us(1024));
row('a delivery, recorded, 1024 at once ÷ that', than('WIDE', 1024, most => 0.65));
row('a request proxied for a client, 256 at once', us(256));
row('a delivery, recorded, 256 at once ÷ that', than('SMS', 256));
row('with id=off', than('VIBER', 256));
row('with receipts to come, by=id', than('RCS', 256));
row('with receipts to come, by=gateway_id', than('MMS', 256));
row('wrk, a request ÷ that', than('bare', 256));
row('deliveries by the clock, 1024 at once', sprintf '%d/s', median(@{ $wall{WIDE} }));
row('256 at once', sprintf '%d/s', median(@{ $wall{SMS} }));

$_->stop for $server, $gateway;
