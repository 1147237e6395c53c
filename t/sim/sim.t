#!/usr/bin/env perl

# The dispatcher in virtual time: t/sim/sim.h says how.  New seeds at each run; `tools/test --seed N` makes the run of one seed again.
# SIM_SECONDS: how long.

use strict;
use warnings;

use FindBin;

my $root = "$FindBin::Bin/../..";
my $out = ($ENV{CAMPAIGN_TEST_DIR} || "$root/build") . '/sim';
my @sanitize = ($ENV{TEST_NGINX_BINARY} || '') =~ m{/sanitize/} ? ('SANITIZE=1') : ();

system('make', '-s', '-C', "$root/t/sim", "OUT=$out", @sanitize) == 0
    or print("Bail out! t/sim does not build\n"), exit 1;

exec "$out/sim", defined $ENV{CAMPAIGN_TEST_SEED} ? ('--seed', $ENV{CAMPAIGN_TEST_SEED}) : ('--seconds', $ENV{SIM_SECONDS} || 30);
