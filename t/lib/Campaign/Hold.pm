package Campaign::Hold;

# The store's write lock in the hand of the test (t/fault/hold.c), as in that of a process that was stopped while it wrote.

use v5.10.1;
use strict;
use warnings;

use Campaign;
use Carp qw(croak);
use IPC::Open2;

sub new {
    my $class = shift;
    my $program = store_dir() =~ s/-store\z/-hold/r;

    system($ENV{CC} // 'cc', '-Wall', '-Wextra', '-o', $program, 't/fault/hold.c', '-llmdb') == 0 or croak 't/fault/hold.c does not compile';
    my $self = bless {}, $class;
    $self->{pid} = open2($self->{out}, $self->{in}, $program, store_dir());
    $self->{in}->autoflush(1);
    return $self;
}

sub pid { $_[0]{pid} }

# holds it for so many milliseconds from now on: returns when it has it
sub hold {
    my ($self, $ms) = @_;
    print { $self->{in} } "$ms\n";
    return readline($self->{out}) eq "held\n";
}

# is it free, at this moment?  If not, it is waited for in vain until somebody lets it go: see done
sub free {
    my $self = shift;
    print { $self->{in} } "0\n";
    my $r = '';
    vec($r, fileno $self->{out}, 1) = 1;
    return select($r, undef, undef, 0.3) > 0 && readline($self->{out}) eq "held\n" && $self->done;
}

# stops a process at a moment when it does not hold it
sub stop {
    my ($self, $pid) = @_;
    for (1 .. 50) {
        kill STOP => $pid or return 0;
        wait_for { stopped($pid) } or return 0;
        return 1 if $self->free;
        kill CONT => $pid;
        readline($self->{out}) eq "held\n" && $self->done;
    }
    return 0;
}

# all its threads: the first to run stops the others
sub stopped {
    for my $stat (glob "/proc/$_[0]/task/*/stat") {
        open my $in, '<', $stat or next;
        return 0 if <$in> !~ /\) [TtZX] /;
    }
    return 1;
}

# when it has let it go
sub done { readline($_[0]{out}) eq "done\n" }

sub DESTROY {
    my $self = shift;
    my $pid = delete $self->{pid} or return;
    local $?;
    close $self->{in};
    kill KILL => $pid;
    waitpid $pid, 0;
}

1;
