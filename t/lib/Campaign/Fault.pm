package Campaign::Fault;

# For the tests of t/fault: libraries loaded before a server's own, the check of a store.

use v5.10.1;
use strict;
use warnings;

use Carp qw(croak);
use Cwd ();
use Exporter 'import';
use POSIX ();
use Test::More ();

our @EXPORT = qw(long plain_only tool preload moved_date control check sound);

my $root = Cwd::realpath('.');

# the long form was asked for (tools/test --long)
sub long { !!$ENV{CAMPAIGN_TEST_LONG} }

# the whole file is left to the ordinary build
sub plain_only {
    Test::More::plan(skip_all => 'with the ordinary build') if $ENV{TEST_NGINX_BINARY} =~ /sanitize/;
}

# a program or library that t/fault/Makefile makes
sub tool {
    my $file = "$root/build/fault/$_[0]";
    -e $file or croak "no $file: make -C t/fault";
    return $file;
}

# what an nginx needs in its environment that a library of t/fault is loaded into, and the file that it maps
sub preload {
    my ($library, $file, $size) = @_;
    open my $out, '>', $file or croak "$file: $!";
    truncate $out, $size or croak "$file: $!";
    return { LD_PRELOAD => tool($library), CAMPAIGN_FAULT_CONTROL => $file,
             ASAN_OPTIONS => join ':', $ENV{ASAN_OPTIONS} // (), 'verify_asan_link_order=0' };
}

# a server whose date the test moves: what nginx needs in its environment, and the control of `seconds` that are added
sub moved_date {
    my $file = Campaign::store_dir() =~ s/-store\z/-clock/r;
    return (preload('preload_clock.so', $file, 8), control($file, 'seconds'));
}

# that file, as numbers (u64) by name: control($file, @names) is an object whose get and set take names
sub control {
    my ($file, @names) = @_;
    my $n = 0;
    open my $handle, '+<:raw', $file or croak "$file: $!";
    return bless { handle => $handle, at => { map { $_ => 8 * $n++ } @names } }, 'Campaign::Fault::Control';
}

# (exit status, what it said); status above 128: killed by that signal; 137: it took too long
sub check {
    my ($store, $seconds) = @_;
    my $pid = open my $in, '-|' // croak "fork: $!";
    if (!$pid) {
        open STDERR, '>&', \*STDOUT;
        exec "$root/build/bin/campaignctl", 'check', $store or POSIX::_exit(127);
    }
    local $SIG{ALRM} = sub { kill KILL => $pid };
    alarm($seconds // 60);
    my $said = do { local $/; <$in> // '' };
    close $in;
    alarm 0;
    return ($? >> 8 || ($? & 127 && 128 + ($? & 127)), $said);
}

# one test: the store is sound
sub sound {
    my ($store, $title) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($status, $said) = check($store);
    return Test::More::is($status, 0, $title // 'the store is sound') || (Test::More::diag(substr $said, 0, 4000), 0)[1];
}


package Campaign::Fault::Control;

sub get {
    my ($self, $name) = @_;
    sysseek $self->{handle}, $self->{at}{$name} // die("$name?"), 0;
    sysread $self->{handle}, my ($bytes), 8;
    return unpack 'Q<', $bytes;
}

sub set {
    my ($self, %values) = @_;
    for my $name (keys %values) {
        sysseek $self->{handle}, $self->{at}{$name} // die("$name?"), 0;
        syswrite $self->{handle}, pack 'Q<', $values{$name};
    }
}

sub text {
    my ($self, $name, $length) = @_;
    sysseek $self->{handle}, $self->{at}{$name} // die("$name?"), 0;
    sysread $self->{handle}, my ($bytes), $length;
    return $bytes =~ s/\0.*//sr;
}

1;
