# loaded: reads of the API while a campaign is sent at full speed.
#
# wrk with 16 connections reads a campaign, one request after the other on each, with and without a campaign under way, by turns.  When it ends before
# wrk does, the next one is there already.
# needs: wrk=wrk

use v5.10.1;
use strict;
use warnings;

use Bench;

my $rounds = of_quick(2, 7);
my $seconds = of_quick(1, 3);
my $n = 100_000;

my $gateway = Bench::Gateway->new('loaded');
my $server = Bench::Server->new('loaded', gateway => $gateway);
my $client = $server->account;
my $audience = $server->audience($client, $n);
my $read = '/v1/campaigns/' . $server->campaign($client, audience => $audience, schedule => '2100-01-01 00:00:00');
my @sent;

sub reads {
    Bench::Load::wrk($server->url($read), connections => 16, seconds => $seconds, headers => { 'X-Dexatel-Key' => $client->{key} })->{p99} / 1e3;
}

sub loaded {
    my @ids = map { $server->campaign($client, audience => $audience) } 1 .. 1 + $seconds;
    my $count = $gateway->count;
    my $p99 = reads();
    push @sent, ($gateway->count - $count) / $seconds;
    for my $id (@ids) {
        my ($status) = $client->talk($client->request(PATCH => "/v1/campaigns/$id", 'application/json', '{"data":{"status":"canceled"}}'));
        die "cancel: $status\n" if $status !~ /\A(?:2|409)/;
    }
    return $p99;
}

my %got = rounds($rounds, idle => \&reads, loaded => \&loaded);

row('p99 of reads', sprintf '%.2f ms', median(@{ $got{idle} }));
row('p99 while a campaign is sent ÷ that', sprintf('%.2f ms', median(@{ $got{loaded} })), ratio => ratio($got{loaded}, $got{idle}), most => 3);
row('messages sent meanwhile', sprintf '%d/s', median(@sent));

$_->stop for $server, $gateway;
