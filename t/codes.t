# The table of error codes, and the tests: each code of the table is asserted by a test, with the table's status.
#
# Read in the sources, as they are written: rows { code, status, ngx_string(…) } in the module; in t/*.t and t/fault/*.t a status and its code or
# list of codes (`400, 1154` or `400, [1153, 1155]`), and in an upload's answer `line:code`.

use v5.10.1;
use strict;
use warnings;

use Test::More;

# codes that no request is answered with, and why
my %silent;

# of these the table has the usual status only: they stand for whatever else nginx may answer
my %any = map { $_ => 1 } 1000, 1019;

sub text {
    open my $in, '<', $_[0] or die "$_[0]: $!\n";
    local $/;
    return <$in>;
}

my $source = text('src/http/ngx_http_campaign_error.c');
my ($table) = $source =~ /ngx_http_campaign_errors\[\] = \{(.*?)\n\};/s or die "no table of errors\n";
my @rows = $table =~ /\{ \d+, /g;
my @codes = $table =~ /^\s*\{ (\d{4}), [45]\d\d, ngx_string\("[^"\\]/mg;
my %status = $table =~ /^\s*\{ (\d{4}), ([45]\d\d), /mg;

cmp_ok(scalar @codes, '>', 100, 'the table is found');
is(scalar @codes, scalar @rows, 'each row has a code of four digits, a status of an error and a message');
is(scalar keys %status, scalar @codes, 'no code is in it twice');
is(join(' ', @codes), join(' ', sort { $a <=> $b } @codes), 'it is sorted');

my (%asserted, @strange);

for my $file (glob 't/*.t t/fault/*.t') {
    next if $file eq 't/codes.t';
    my $test = text($file);

    while ($test =~ /\b([45]\d\d)(?:,| =>) (?:(1\d{3})\b|\[(1\d{3}(?:, 1\d{3})*)\])/g) {
        my ($status, @found) = ($1, $2 // split /, /, $3);
        $asserted{$_}{$file} = 1 for @found;
        push @strange, "$file: $status $found[0]" if !$any{ $found[0] } && ($status{ $found[0] } // '') ne $status;
    }
    $asserted{$_}{$file} = 1 for $test =~ /(?<![\d.:])\d+:(1\d{3})(?!\d)/g;
}

is_deeply(\@strange, [], 'every code and status that a test wants are a row');

for my $code (@codes) {
    if ($silent{$code}) {
        ok(!$asserted{$code}, "$code is not answered: $silent{$code}");
    } else {
        ok($asserted{$code}, "a test provokes $code");
    }
}

is(join(' ', grep { !$status{$_} } sort keys %silent), '', 'what is not answered is a row, too');

done_testing();
