#!/usr/bin/env perl

# The dispatcher in virtual time: t/sim/sim.h says how.  The same 600 seeds at each run (of a build with sanitizers fewer), half a minute or less;
# `tools/test --quick --long t/sim/sim.t` takes new ones for an hour (SIM_SECONDS: as long as you like), `tools/test --seed N t/sim/sim.t` makes the
# run of one seed again.

use strict;
use warnings;

use FindBin;

my $root = "$FindBin::Bin/../..";
my $out = ($ENV{CAMPAIGN_TEST_DIR} || "$root/build") . '/sim';
my @sanitize = ($ENV{TEST_NGINX_BINARY} || '') =~ m{/sanitize/} ? ('SANITIZE=1') : ();
my $seconds = $ENV{SIM_SECONDS} || ($ENV{CAMPAIGN_TEST_LONG} && 3600);

system('make', '-s', '-C', "$root/t/sim", "OUT=$out", @sanitize) == 0
    or print("Bail out! t/sim does not build\n"), exit 1;

exec "$out/sim", defined $ENV{CAMPAIGN_TEST_SEED} ? ('--seed', $ENV{CAMPAIGN_TEST_SEED})
                : $seconds ? ('--seconds', $seconds)
                : ('--seconds', 30, '--from', 777_000_000, '--runs', @sanitize ? 160 : 600);
