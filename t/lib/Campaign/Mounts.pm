package Campaign::Mounts;

# For tests that mount file systems: the program that uses it is run again in a mount namespace of its own, so that nobody else sees them.  To be
# used first: what ran before runs twice.

use v5.10.1;
use strict;
use warnings;

use Exporter 'import';
use Test::More ();

our @EXPORT = qw(mounts_only);

if (!$ENV{CAMPAIGN_FAULT_MOUNTS}) {
    $ENV{CAMPAIGN_FAULT_MOUNTS} = 'none';
    if (system('unshare -m true 2>/dev/null') == 0) {
        $ENV{CAMPAIGN_FAULT_MOUNTS} = 'own';
        exec 'unshare', '-m', $^X, (map { "-I$_" } @INC), $0;
    }
}

# the whole file needs it
sub mounts_only {
    Test::More::plan(skip_all => 'mounting is not allowed here') if $ENV{CAMPAIGN_FAULT_MOUNTS} ne 'own';
}

1;
