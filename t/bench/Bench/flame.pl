#!/usr/bin/perl

# A flame graph out of what `perf script -F comm,ip,sym` prints: a box a function, as wide as its share of the samples, on the one that called it.
# Functions of one name are alphabetical within their caller, and have one colour.
#
#     perf script -F comm,ip,sym | flame.pl title > flame.svg

use v5.10.1;
use strict;
use warnings;

use Digest::MD5 qw(md5);

my $title = shift // 'flame graph';
my ($width, $height, $least) = (1600, 17, 0.4);         # pixels: of all, of a box, of the narrowest box

# each function: samples of it and what it called, and what it called by name
my $all = { n => 0, calls => {} };
my ($deepest, $comm, @stack) = (0);

sub sample {
    return if !defined $comm;
    my $at = $all;
    $at->{n}++;
    for my $name ($comm, reverse @stack) {
        $at = $at->{calls}{$name} //= { n => 0, calls => {} };
        $at->{n}++;
    }
    $deepest = @stack + 1 if @stack + 1 > $deepest;
    ($comm, @stack) = ();
}

while (<STDIN>) {
    if (/\A\s+[0-9a-f]+ (.+?)(?:\+0x[0-9a-f]+)?\s*\z/) { push @stack, $1 }
    elsif (/\A(\S.*?)\s*\z/)                           { sample(); $comm = $1 }
    else                                               { sample() }
}
sample();
die "flame.pl: no samples\n" if $all->{n} == 0;

sub escape { $_[0] =~ s/&/&amp;/gr =~ s/</&lt;/gr =~ s/>/&gt;/gr =~ s/"/&quot;/gr }

# warm ones for functions of ours and of nginx, cool ones for the kernel's, LMDB's and all others
sub colour {
    my $name = shift;
    my ($a, $b) = unpack 'CC', md5($name);
    my $hue = $name =~ /\Angx_(?:http_)?campaign/ ? 5 + $a % 15 : $name =~ /\Angx_/ ? 35 + $a % 15 : $name =~ /\Amdb_/ ? 110 + $a % 20 : 190 + $a % 30;
    return sprintf 'hsl(%d,%d%%,%d%%)', $hue, 70, 62 + $b % 12;
}

sub boxes {
    my ($name, $node, $x, $depth) = @_;
    my $w = $node->{n} / $all->{n} * $width;
    return if $w < $least;

    my $y = ($deepest - $depth) * $height + 30;
    my $share = sprintf '%.2f', 100 * $node->{n} / $all->{n};
    my $letters = int(($w - 4) / 6.6);
    my $text = $letters < 3 ? '' : length $name <= $letters ? $name : substr($name, 0, $letters - 2) . '..';

    printf qq(<g><title>%s (%d samples, %s %%)</title><rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"/><text x="%.1f" y="%d">%s</text></g>\n),
        escape($name), $node->{n}, $share, $x, $y, $w, $height - 1, colour($name), $x + 2, $y + 12, escape($text);

    for my $called (sort keys %{ $node->{calls} }) {
        boxes($called, $node->{calls}{$called}, $x, $depth + 1);
        $x += $node->{calls}{$called}{n} / $all->{n} * $width;
    }
}

printf <<'END', $width, ($deepest + 1) * $height + 40, escape($title), $all->{n};
<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" width="%1$d" height="%2$d" viewBox="0 0 %1$d %2$d">
<style>text { font: 11px monospace } rect:hover { stroke: black }</style>
<text x="10" y="18">%3$s: %4$d samples; hold the mouse on a box for its name and share</text>
END
boxes('all', $all, 0, 0);
print "</svg>\n";
