package Bench::Process;

# Programs that a case starts, ended by their process ids when it ends, however it ends; and what the kernel knows of a process.

use v5.10.1;
use strict;
use warnings;

use Carp qw(croak);
use IO::Socket::INET;
use POSIX qw(WNOHANG);
use Time::HiRes qw(sleep);

my $owner = $$;
my %running;

sub free_port { IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 1)->sockport }

# a program in the foreground of its own; its output goes to the file
sub start {
    my ($class, $log, @command) = @_;
    my $pid = fork // croak "fork: $!";

    if ($pid == 0) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', $log or POSIX::_exit(127);
        open STDERR, '>&', \*STDOUT;
        exec { $command[0] } @command or POSIX::_exit(127);
    }

    return $class->adopt($pid);
}

# one of a package that tools/bench may have unpacked, not installed
sub unpacked {
    my ($class, $log, @command) = @_;
    my $libraries = join ':', glob "$ENV{CAMPAIGN_BENCH_DIR}/unpacked/{usr/,}lib/*-linux-gnu*";
    return $class->start($log, 'env', "LD_LIBRARY_PATH=$libraries", @command);
}

# one that runs already
sub adopt {
    my ($class, $pid) = @_;
    my $self = bless { pid => $pid }, $class;
    $running{$pid} = $self;
    return $self;
}

sub pid { $_[0]{pid} }

sub alive {
    my $pid = $_[0]{pid};
    waitpid $pid, WNOHANG;
    open my $in, '<', "/proc/$pid/stat" or return 0;
    return (<$in> // '') !~ /\) Z /;
}

sub stop {
    my ($self, $signal) = @_;
    kill $signal // 'TERM', $self->{pid};
    for (1 .. 1000) { last if !$self->alive; sleep 0.01 }
    if ($self->alive) { kill KILL => $self->{pid}; sleep 0.05 }
    waitpid $self->{pid}, WNOHANG;
    delete $running{ $self->{pid} };
}

# ns that all its threads were on a CPU
sub cpu { cpu_of($_[0]{pid}) }

sub cpu_of {
    my $ns = 0;
    for my $file (glob "/proc/$_[0]/task/*/schedstat") {
        open my $in, '<', $file or next;                # a thread that has ended meanwhile
        $ns += (split ' ', <$in> // '0')[0];
    }
    return $ns;
}

$SIG{$_} = sub { exit 130 } for qw(INT TERM HUP);

END {
    if ($$ == $owner) {
        my $status = $?;
        $_->stop for values %running;
        $? = $status;
    }
}

1;
