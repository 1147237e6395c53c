# memory: a worker grows by little when it sends a campaign of 100 000, and no more when it sends a hundred of them.
#
# Commits are relaxed, it is the longest case.  Anonymous memory is the worker's own; the pages of the store's file that it has looked at are the
# kernel's cache, and shown apart.  Each delivery under way has a block of 16 KB, so what 1024 at once take is shown, too.

use v5.10.1;
use strict;
use warnings;

use Bench;

my $n = of_quick(10_000, 100_000);
my $campaigns = of_quick(4, 100);
my $warm = of_quick(2, 5);              # until then each thread has worked for it

my $gateway = Bench::Gateway->new('memory');
my $server = Bench::Server->new('memory', gateway => $gateway, durability => 'relaxed');
my $client = $server->account;
my %audience = map { $_ => $server->audience($client, $n, $_) } qw(SMS WIDE);
my @memory = [$server->memory];

for my $i (1 .. $campaigns) {
    $server->send($client, $gateway, $audience{SMS}, $n);
    push @memory, [$server->memory];
    progress("campaign $i of $campaigns") if $i % 10 == 0;
}

$server->send($client, $gateway, $audience{WIDE}, $n, 'WIDE');
push @memory, [$server->memory];

# MB that it has grown from one to another: own, of the store's file
sub grown {
    my ($from, $to, $which) = @_;
    return ($memory[$to][$which] - $memory[$from][$which]) / 1e6;
}

sub most { my ($value, $bar) = @_; return (value => sprintf('%.2f', $value), most => $bar, unit => 'MB') }

row("a campaign of $n", sprintf('%.1f MB', grown(0, 1, 0)), most(grown(0, 1, 0), 8));
row('its part of the store that is mapped', sprintf '%.1f MB', grown(0, 1, 1));
row("$campaigns of them, after $warm", sprintf('%.1f MB', grown($warm, -2, 0)), most(grown($warm, -2, 0), 1));
row('one with concurrency=1024 after them', sprintf '%.1f MB', grown(-2, -1, 0));

$_->stop for $server, $gateway;
