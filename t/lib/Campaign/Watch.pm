package Campaign::Watch;

# What the machine itself lost, for tests that time a server: a process for each core asks to be woken each 2 ms and notes when it was not, which was
# because something else had the core, or nothing ran at all.  A server on that core stood still as long.

use v5.10.1;
use strict;
use warnings;

use Carp qw(croak);
use List::Util qw(max);
use POSIX ();
use Time::HiRes qw(sleep time);

my $tick = 0.002;
my $late = 0.005;                               # s behind that which are no loss yet

my %running;

# watches from now on; file: what it notes, beginning of a name
sub new {
    my ($class, $file) = @_;
    my $self = bless { files => [], pids => [] }, $class;

    for my $core (cores()) {
        push @{ $self->{files} }, "$file.$core";
        open my $out, '>', "$file.$core" or croak "$file.$core: $!";
        defined(my $pid = fork) or croak "fork: $!";
        if ($pid == 0) {
            $SIG{$_} = 'DEFAULT' for qw(INT TERM);
            eval { watch($out, $core) };
            POSIX::_exit(1);
        }
        $running{$pid} = 1;
        push @{ $self->{pids} }, $pid;
    }
    return $self;
}

# those that this process may run on
sub cores {
    open my $in, '<', '/proc/self/status' or return 0;
    my ($list) = join('', <$in>) =~ /^Cpus_allowed_list:\s*(\S+)/m or return 0;
    return map { /(\d+)-(\d+)/ ? $1 .. $2 : $_ } split /,/, $list;
}

sub watch {
    my ($out, $core) = @_;
    my $parent = getppid;

    # where a core cannot be chosen, it is whichever the kernel gives
    system("taskset -cp $core $$ >/dev/null 2>&1");

    for (my $at = time; getppid == $parent; ) {
        sleep $tick;
        my $now = time;
        syswrite $out, pack 'dd', $at, $now if $now - $at > $tick + $late;
        $at = $now;
    }
}

# the seconds between two times that the core that lost most lost
sub lost {
    my ($self, $from, $to) = @_;
    my @lost;

    sleep 2 * $tick;                            # one that lasts is not noted yet
    for my $file (@{ $self->{files} }) {
        open my $in, '<:raw', $file or croak "$file: $!";
        my @times = do { local $/; unpack 'd*', <$in> // '' };
        my $sum = 0;
        while (my ($at, $now) = splice @times, 0, 2) {
            my $within = ($now < $to ? $now : $to) - ($at > $from ? $at : $from);
            $sum += $within if $within > 0;
        }
        push @lost, $sum;
    }
    return max(0, @lost);
}

sub end {
    my $self = shift;
    local $?;
    for my $pid (grep { delete $running{$_} } @{ $self->{pids} }) {
        kill KILL => $pid;
        waitpid $pid, 0;
    }
    unlink @{ $self->{files} };
}

my $parent = $$;
END { if ($$ == $parent) { local $?; for (keys %running) { kill KILL => $_; waitpid $_, 0 } } }

1;
