# create: POST /v1/campaigns costs the same on an audience of 10 and of 100 000.
#
# One client, one request after the other, on either audience by turns; nothing is sent.  By CPU of the worker, and by the clock, which holds the
# commit to the disk too.

use v5.10.1;
use strict;
use warnings;

use Bench;
use Time::HiRes qw(time);

my $rounds = of_quick(7, 51);
my $requests = 25;              # of one measurement

my $server = Bench::Server->new('create');
my $client = $server->account;
my %audience = map { $_ => $server->audience($client, $_) } 10, 100_000;
my %wall;

sub create {
    my $n = shift;
    return sub {
        my ($cpu, $from) = ($server->cpu, time);
        $server->campaign($client, audience => $audience{$n}, schedule => '2100-01-01 00:00:00') for 1 .. $requests;
        push @{ $wall{$n} }, (time - $from) / $requests;
        return ($server->cpu - $cpu) / $requests;
    };
}

create($_)->() for keys %audience;
%wall = ();
my %got = rounds($rounds, map { $_ => create($_) } keys %audience);

row('on an audience of 10', sprintf '%.0f us CPU', median(@{ $got{10} }) / 1000);
row('on one of 100000 ÷ that', sprintf('%.0f us CPU', median(@{ $got{100_000} }) / 1000), ratio => ratio($got{100_000}, $got{10}), most => 1.2);
row('on an audience of 10, by the clock', sprintf '%.0f us', median(@{ $wall{10} }) * 1e6);
row('on one of 100000 ÷ that', sprintf('%.0f us', median(@{ $wall{100_000} }) * 1e6), ratio => ratio($wall{100_000}, $wall{10}), most => 1.2);

$server->stop;
