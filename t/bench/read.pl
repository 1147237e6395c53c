# read: GET of a campaign, next to `return 200` of as many bytes from the same nginx.
#
# wrk with 64 connections on either by turns.  The figure is requests a second of the worker's CPU: what a worker does that has a core to itself.
# needs: wrk=wrk

use v5.10.1;
use strict;
use warnings;

use Bench;

my $rounds = of_quick(2, 7);
my $seconds = of_quick(1, 2);

# a server, a client of it, the path of a campaign
sub serve {
    my $server = Bench::Server->new('read', @_);
    my $client = $server->account;
    return ($server, $client, '/v1/campaigns/' . $server->campaign($client, audience => $server->audience($client, 10),
                                                                   schedule => '2100-01-01 00:00:00', name => 'winter sale'));
}

my ($first, $reader, $object) = serve();
my $size = length $reader->get($object);
$first->stop;

my $text = 'x' x $size;
my ($server, $client, $path) = serve(server => "location /fixed { default_type application/json; return 200 '$text'; }");
length $client->get($path) == $size && length $client->get('/fixed') == $size or die "the bodies do not have the same size\n";

# requests a second of CPU
sub reads {
    my $path = shift;
    return sub {
        my $cpu = $server->cpu;
        my $got = Bench::Load::wrk($server->url($path), connections => 64, seconds => $seconds, headers => { 'X-Dexatel-Key' => $client->{key} });
        return $got->{requests} / (($server->cpu - $cpu) / 1e9);
    };
}

my %got = rounds($rounds, campaign => reads($path), fixed => reads('/fixed'));

row("`return 200` of $size bytes", sprintf '%d/s', median(@{ $got{fixed} }));
row('GET of a campaign ÷ that', sprintf('%d/s', median(@{ $got{campaign} })), ratio => ratio($got{campaign}, $got{fixed}), least => 0.6);

$server->stop;
