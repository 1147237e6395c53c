# group commit: clients that create at the same time share a commit to the disk.
#
# wrk creates campaigns, scheduled for 2100, with one connection and with 64 by turns.  durability=full: each answer comes after its commit.
# needs: wrk=wrk

use v5.10.1;
use strict;
use warnings;

use Bench;

my $rounds = of_quick(2, 5);
my $seconds = of_quick(1, 3);

my $server = Bench::Server->new('group-commit');
my $client = $server->account;
my $audience = $server->audience($client, 10);

sub creates {
    my $connections = shift;
    return sub {
        Bench::Load::wrk($server->url('/v1/campaigns'), connections => $connections, seconds => $seconds,
                         headers => { 'Content-Type' => 'application/json', 'X-Dexatel-Key' => $client->{key} }, script => <<"END")->{rate};
wrk.method = 'POST'
wrk.body = '{"data":{"from":"Acme","channel":"SMS","text":"Hello","audience":"$audience","schedule":"2100-01-01 00:00:00"}}'
END
    };
}

my %got = rounds($rounds, one => creates(1), many => creates(64));

row('durable creates, 1 client', sprintf '%d/s', median(@{ $got{one} }));
row('by 64 clients ÷ that', sprintf('%d/s', median(@{ $got{many} })), ratio => ratio($got{many}, $got{one}), least => 12);

$server->stop;
