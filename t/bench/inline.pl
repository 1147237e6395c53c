# inline: POST /v1/campaigns with 100 000 numbers in it takes little longer than jansson takes to parse the same body.
#
# In turns: the whole request by the clock, with its commit; jansson alone, once, in a process of its own (t/bench/parse.c).

use v5.10.1;
use strict;
use warnings;

use Bench;
use JSON::PP qw(encode_json);
use Time::HiRes qw(time);

my $rounds = of_quick(5, 21);
my $n = 100_000;

my $server = Bench::Server->new('inline');
my $client = $server->account;
my $body = encode_json({ data => { from => 'Acme', channel => 'SMS', text => 'Our sale starts today.', schedule => '2100-01-01 00:00:00',
                                   to => [numbers($n)] } });
my $request = $client->request(POST => '/v1/campaigns', 'application/json', $body);
my $file = "$ENV{CAMPAIGN_BENCH_DIR}/inline.json";

open my $out, '>', $file or die "$file: $!\n";
print $out $body;
close $out or die "$file: $!\n";

sub whole {
    my $from = time;
    my ($status, $got) = $client->talk($request);
    my $took = time - $from;
    die "POST: $status $got\n" if $status != 201;
    return $took * 1e3;
}

sub parse {
    my $ns = qx($ENV{CAMPAIGN_BENCH_DIR}/parse $file);
    die "parse failed\n" if $? != 0;
    return $ns / 1e6;
}

whole();
my %got = rounds($rounds, whole => \&whole, parse => \&parse);

row('jansson parses its body', sprintf '%.1f ms', median(@{ $got{parse} }));
row("POST with $n numbers ÷ that", sprintf('%.1f ms', median(@{ $got{whole} })), ratio => ratio($got{whole}, $got{parse}), most => 2.5);

$server->stop;
unlink $file;
