package Bench::Gateway;

# The far end: t/bench/gateway.c, and what it has counted.

use v5.10.1;
use strict;
use warnings;

use Carp qw(croak);

sub new {
    my ($class, $name) = @_;
    my $out = $ENV{CAMPAIGN_BENCH_DIR};
    my $self = bless { port => Bench::Process::free_port(), count => "$out/$name-gateway.count" }, $class;

    unlink $self->{count};
    $self->{process} = Bench::Process->start("$out/$name-gateway.log", "$out/gateway", $self->{port}, $self->{count});
    Bench::wait_for(10, 'the gateway', sub { -s $self->{count} });
    return $self;
}

sub port { $_[0]{port} }
sub cpu { $_[0]{process}->cpu }

# requests answered; monotonic ns of the first since `reset` and of the last
sub count { ($_[0]->counters)[0] }
sub last_ns { ($_[0]->counters)[2] }

# ns from the first to the last since `reset`
sub span {
    my (undef, $first, $last) = $_[0]->counters;
    return $last - $first;
}

sub counters {
    my $self = shift;
    open my $in, '<:raw', $self->{count} or croak "$self->{count}: $!";
    sysread $in, my $bytes, 24;
    return unpack 'Q3', $bytes;
}

# the next one is the first
sub reset {
    my $self = shift;
    open my $out, '+<:raw', $self->{count} or croak "$self->{count}: $!";
    sysseek $out, 8, 0;
    syswrite $out, pack 'Q', 0;
}

sub stop {
    my $self = shift;
    $self->{process}->stop;
    unlink $self->{count};
}

1;
