package Campaign::Chance;

# Chance that can be replayed.  The short form of a test has the same chance at each run, so that a commit has one answer; `tools/test --long` draws
# a new seed, which the test tells, and `tools/test --seed n` gives it back.

use v5.10.1;
use strict;
use warnings;

use Exporter 'import';
use Test::More ();

our @EXPORT = qw(seed chance pick);

my $short = 20_261_124;

sub seed {
    my $seed = $ENV{CAMPAIGN_TEST_SEED} // ($ENV{CAMPAIGN_TEST_LONG} ? int(rand 2**31) + 1 : $short);
    Test::More::diag("seed $seed (tools/test --seed $seed " . ($0 =~ s{.*?(t/)}{$1}r) . ')');
    return $seed;
}

# A generator of its own (xorshift64), so that a seed gives the same numbers with each Perl
my $state;

sub next_number {
    $state ^= $state >> 12;
    $state ^= $state << 25;
    $state ^= $state >> 27;
    return ($state >> 11) & 0x1fffffff;
}

# 0 .. n - 1
sub chance {
    if (!defined $state) {
        $state = seed();
        next_number() for 1 .. 8;
    }
    return next_number() % $_[0];
}

# some of a list, no one twice
sub pick {
    my ($n, @list) = @_;
    my @picked;
    push @picked, splice @list, chance(scalar @list), 1 while @list && @picked < $n;
    return @picked;
}

1;
