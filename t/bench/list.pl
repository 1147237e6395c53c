# list: a page of 20 costs the same out of 1 000 campaigns and out of 1 000 000, first or deep, filtered by channel and status or not.
#
# One page again and again finds its records in the CPU's caches, so a walk over 10 000 pages is measured as well: when the worker has read them
# before, and the first time, which has no bar, because the kernel then maps the store's file into the process, once for each of its pages.
#
# Two servers, a store each (t/bench/load.c says how its campaigns lie).  The figure is CPU of the worker a request, on one kept connection.  Pages
# deep down are reached as a client does, by the `next` links.

use v5.10.1;
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use Bench;
use Time::HiRes qw(time);

my $bar = 1.2;
my $few = 1000;
my $many = quick() ? 50_000 : 1_000_000;
my $rounds = of_quick(11, 25);
my $requests = 200;             # of one measurement
my $step = quick() ? 99 : 400; # pages of the walk in a round
my $key = 'bench';
my $filter = '&filter[channel]=VIBER&filter[status]=canceled';

# the page after this one; undef: it is the last
sub next_page {
    my ($client, $path) = @_;
    return $client->get($path) =~ /"next":"([^"]+)"/ ? $1 : undef;
}

sub server {
    my $n = shift;
    my $from = time;
    my $server = Bench::Server->new("list-$n", fill => sub {
        system("$ENV{CAMPAIGN_BENCH_DIR}/load", 'list', $_[0], $n, sha256_hex($key)) == 0 or die "the store could not be filled\n";
    });
    progress(sprintf '%d campaigns loaded in %.1f s', $n, time - $from);
    return $server;
}

my %server = ($few => server($few), $many => server($many));
my %client = map { $_ => $server{$_}->client($key) } keys %server;

# The client and both workers take turns, so one processor is enough, and it has to be the same for all: a worker that another one keeps, or whose
# caches somebody else fills, takes up to twice as long, whatever the size of its store
system("taskset -acp 0 $_ >/dev/null 2>&1") for $$, map { $_->worker } values %server;

# ns of the worker a request of this page, which holds 20 and counts $total
sub page {
    my ($n, $path, $total) = @_;
    my ($server, $client) = ($server{$n}, $client{$n});

    my $body = $client->get($path);
    my $items = () = $body =~ /"create_date":/g;
    die "$path has $items items\n" if $items != 20;
    $body =~ /"total":$total\b/ or die "$path does not count $total\n";

    return sub {
        my $from = $server->cpu;
        $client->get($path) for 1 .. $requests;
        return ($server->cpu - $from) / $requests;
    };
}

my $first = '/v1/campaigns?page_size=20';
my %at = ($few => $first, $many => $first);

# the same for $step pages of a walk down a list, which begins again at its end
sub walk {
    my $n = shift;
    my ($server, $client) = ($server{$n}, $client{$n});

    return sub {
        my $from = $server->cpu;
        $at{$n} = next_page($client, $at{$n}) // $first for 1 .. $step;
        return ($server->cpu - $from) / $step;
    };
}

my $depth = $rounds * $step + 1;
progress("walking down to page $depth, twice");
my %once = rounds($rounds, few_once => walk($few), once => walk($many));
$at{$_} = $first for keys %at;
my %walked = rounds($rounds, few_walk => walk($few), walk => walk($many));

my $filtered = $many / 20 / 20 - 1;     # the last but one: a twentieth of all campaigns
my $filtered_deep = "$first$filter";
progress("walking down to page $filtered of the filtered list");
$filtered_deep = next_page($client{$many}, $filtered_deep) // die "the filtered list ends before page $filtered\n" for 2 .. $filtered;

my %measure = (
    few           => page($few, $first, $few),
    first         => page($many, $first, $many),
    deep          => page($many, $at{$many}, $many),
    few_filter    => page($few, "$first$filter", $few / 20),
    first_filter  => page($many, "$first$filter", $many / 20),
    deep_filter   => page($many, $filtered_deep, $many / 20),
);

progress("measuring $rounds rounds of $requests requests each");
my %got = (%once, %walked, rounds($rounds, %measure));
my %us = map { $_ => median(@{ $got{$_} }) / 1000 } keys %got;

sub us { sprintf '%.1f us', $us{ $_[0] } }

row("first page of $few", us('few'));
row("first page of $many ÷ of $few", us('first'), ratio => ratio($got{first}, $got{few}), most => $bar);
row("page $depth of $many ÷ first", us('deep'), ratio => ratio($got{deep}, $got{first}), most => $bar);
row("$depth pages in turn of $many ÷ of $few", us('walk'), ratio => ratio($got{walk}, $got{few_walk}), most => $bar);
row("the same, the first time", us('once'), ratio => ratio($got{once}, $got{few_once}));
row("filtered: first page of $few", us('few_filter'));
row("filtered: first page of $many ÷ of $few", us('first_filter'), ratio => ratio($got{first_filter}, $got{few_filter}), most => $bar);
row("filtered: page $filtered of $many ÷ first", us('deep_filter'), ratio => ratio($got{deep_filter}, $got{first_filter}), most => $bar);

$_->stop for values %server;
