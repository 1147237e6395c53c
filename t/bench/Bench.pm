package Bench;

# What the cases of tools/bench share: rounds, rows of the table, numbers to send to.  A case is a program t/bench/<case>.pl: it prints its
# progress to standard error and each figure as a row; what it compares it measures in turns, in one run, so that whatever else the machine does
# meets all of it alike.

use v5.10.1;
use strict;
use warnings;

use Carp qw(croak);
use Digest::SHA qw(sha256_hex);
use Exporter 'import';
use JSON::PP qw(decode_json);

use Bench::Client;
use Bench::Gateway;
use Bench::Load;
use Bench::Process;
use Bench::Server;

our @EXPORT = qw(quick progress row median percentile rounds ratio table sha256_hex numbers contacts wait_for of_quick);

sub quick { $ENV{CAMPAIGN_BENCH_QUICK} }
sub progress { print STDERR "  @_\n" }

# the first in a quick run, else the second
sub of_quick { quick() ? $_[0] : $_[1] }

# a line of the table: what and figure (as text).  Options: ratio, to what it is compared with; most or least, the bar; value, what the bar is
# for when it is not the ratio, and unit, what it is in
sub row {
    my ($what, $figure, %option) = @_;
    my %row = (what => $what, figure => $figure);

    $row{ratio} = $option{ratio} + 0 if defined $option{ratio};

    if (defined(my $bar = $option{most} // $option{least})) {
        my $value = $option{value} // $option{ratio};
        my $met = defined $option{most} ? $value <= $bar : $value >= $bar;
        $row{value} = $value + 0;
        $row{bar} = (defined $option{most} ? '<= ' : '>= ') . $bar . (defined $option{unit} ? " $option{unit}" : '');
        $row{verdict} = $met ? 'met' : 'MISSED';
    }

    print JSON::PP->new->canonical->encode(\%row), "\n";
}

sub median { percentile(50, @_) }

# between two of them: the mean
sub percentile {
    my ($percent, @values) = @_;
    my @sorted = sort { $a <=> $b } @values;
    my $at = $percent / 100 * $#sorted;
    my $low = int $at;
    return $low == $#sorted ? $sorted[$low] : $sorted[$low] + ($at - $low) * ($sorted[$low + 1] - $sorted[$low]);
}

# $n rounds, each of all measurements (name => code that returns a number), forwards and backwards by turns: name => [numbers]
sub rounds {
    my ($n, %measure) = @_;
    my @names = sort keys %measure;
    my %got;
    for my $round (1 .. $n) {
        push @{ $got{$_} }, $measure{$_}->() for $round % 2 ? @names : reverse @names;
        progress("round $round of $n") if $n <= 10;
    }
    return %got;
}

# of the rounds' own ratios
sub ratio {
    my ($one, $two) = @_;
    return sprintf '%.3f', median(map { $one->[$_] / $two->[$_] } 0 .. $#$one);
}

# until the code is true; dies after so many seconds
sub wait_for {
    my ($seconds, $what, $code) = @_;
    my $end = Time::HiRes::time() + $seconds;
    until ($code->()) {
        die "$what: not within $seconds s\n" if Time::HiRes::time() > $end;
        Time::HiRes::sleep(0.005);
    }
}

# $n numbers that nobody has, 100 000 at most: the blocks that the French regulator keeps for films, then those that the North American plan keeps
# for fiction
sub numbers {
    my $n = shift;
    my @numbers;

    for my $block (qw(3319900 3326191 3335301 3346571 3353649 3363998)) {
        push @numbers, map { sprintf '%s%04d', $block, $_ } 0 .. 9999;
        last if @numbers >= $n;
    }

    for my $area (grep { $_ % 100 != 11 && int($_ / 10) % 10 != 9 } 200 .. 999) {
        last if @numbers >= $n;
        push @numbers, map { sprintf '1%d55501%02d', $area, $_ } 0 .. 99;
    }

    return @numbers[0 .. $n - 1];
}

# $n of them as CSV, with first names
sub contacts {
    my $n = shift;
    my @names = qw(Ada Bruno Chloe Dmitri Elif Fatima Giulia Hugo Ines Jamal Kaya Lucia Mei Noor Oskar Priya);
    my $i = 0;
    return join '', "number,first_name\n", map { "$_,$names[$i++ % @names]\n" } numbers($n);
}

# prints the rows of a file, writes them and the machine to another; 1: a bar is missed
sub table {
    my ($from, $to) = @_;
    my @rows = map { decode_json($_) } lines($from);
    my @table = (['case', 'what', 'figure', 'ratio', 'bar', 'verdict'], map { cells($_) } @rows);
    my @width = map { my $column = $_; (sort { $b <=> $a } map { length $_->[$column] } @table)[0] } 0 .. 5;
    my $line = "%-$width[0]s  %-$width[1]s  %$width[2]s  %$width[3]s  %-$width[4]s  %s";

    binmode STDOUT, ':utf8';
    print sprintf($line, @$_) =~ s/\s+\z//r, "\n" for @table;

    my @cpu = map { /^model name\s*:\s*(.*)/ ? $1 : () } lines('/proc/cpuinfo');
    my ($kernel) = map { s/\s+\z//r } lines('/proc/sys/kernel/osrelease');
    my %report = (rows => \@rows, quick => quick() ? JSON::PP::true : JSON::PP::false, time => time,
                  machine => { cpu => $cpu[0], cores => scalar @cpu, kernel => $kernel });

    open my $out, '>', "$to.new" or croak "$to: $!";
    print $out JSON::PP->new->utf8->canonical->pretty->encode(\%report);
    close $out && rename "$to.new", $to or croak "$to: $!";

    return (grep { ($_->{verdict} // '') eq 'MISSED' } @rows) ? 1 : 0;
}

sub cells {
    my $row = shift;
    my $ratio = defined $row->{ratio} ? sprintf '%.2f', $row->{ratio} : '';
    return [@$row{qw(case what figure)}, $ratio, $row->{bar} // '', $row->{verdict} // ''];
}

sub lines {
    open my $in, '<', $_[0] or croak "$_[0]: $!";
    return <$in>;
}

1;
