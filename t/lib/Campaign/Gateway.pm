package Campaign::Gateway;

# A gateway for tests: an HTTP server in a process of its own, which notes every request to a file and answers as its script says.  The script
# is a function: it is given a request and returns a status, or a hash with
#     status, headers (an array of lines), body, delay (seconds)
#     until    a word: the answer waits until the test has told it
#     close    1: the connection is closed after the answer
#     drop     1: it is closed in place of an answer; 'reset': with an RST
#     raw      bytes in place of an answer that is made of the above
# A request is a hash: time (whole request read, seconds since 1970), method, uri, path, args, header (name in lower case => value), lines (of
# the header, as they came), body, id (Idempotency-Key), try (which request with this id it is, from 1), told (words that the test has told).

use v5.10.1;
use strict;
use warnings;

use Carp qw(croak);
use IO::Socket::INET;
use POSIX ();
use Socket qw(IPPROTO_TCP SOL_SOCKET SO_LINGER TCP_NODELAY);
use Time::HiRes qw(sleep time);

my %running;

# starts one; options: script, file (what it notes), port (chosen by the kernel unless given)
sub new {
    my ($class, %options) = @_;

    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $options{port} // 0, Listen => 1024, ReuseAddr => 1)
        or croak "no gateway: $!";

    my $self = bless { port => $listen->sockport, file => $options{file}, requests => [], at => 0 }, $class;

    open my $out, '>', $options{file} or croak "$options{file}: $!";

    defined(my $pid = fork) or croak "fork: $!";

    if ($pid == 0) {
        $SIG{$_} = 'DEFAULT' for qw(INT TERM);
        $SIG{PIPE} = 'IGNORE';
        eval { serve($listen, $out, $options{script} // sub { 200 }) };
        print STDERR "gateway: $@" if $@;
        POSIX::_exit(1);
    }

    $running{$pid} = 1;
    $self->{pid} = $pid;
    return $self;
}

sub port { $_[0]{port} }

sub stop {
    my $self = shift;
    my $pid = delete $self->{pid} or return;
    end_process($pid);
}

sub end_process {
    my $pid = shift;
    local $?;
    delete $running{$pid} or return;
    kill KILL => $pid;
    waitpid $pid, 0;
}

my $parent = $$;
END { if ($$ == $parent) { end_process($_) for keys %running } }

# what came so far, oldest first; with a path, what came for it
sub requests {
    my ($self, $path) = @_;

    open my $in, '<:raw', $self->{file} or croak "$self->{file}: $!";
    seek $in, $self->{at}, 0;
    local $/;
    my $new = <$in> // '';

    while (length $new >= 12) {
        my ($time, $length) = unpack 'dN', $new;
        last if length $new < 12 + $length;
        push @{ $self->{requests} }, parse(substr($new, 12, $length), $time);
        substr $new, 0, 12 + $length, '';
        $self->{at} += 12 + $length;
    }

    return grep { !defined $path || $_->{path} eq $path } @{ $self->{requests} };
}

# lets answers go that wait for this word; scripts see it in told
sub tell {
    my ($self, $word, $value) = @_;

    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port}, Timeout => 5) or croak "tell: $!";
    syswrite $socket, sprintf "TELL /%s?%s HTTP/1.1\r\n\r\n", $word, $value // 1;
    sysread $socket, my $answer, 1024;
}


# the process

my (%told, %tries, @later, @held);

sub serve {
    my ($listen, $out, $script) = @_;

    $listen->blocking(0);

    my %clients;
    my $rin = '';
    vec($rin, fileno $listen, 1) = 1;

    while (getppid != 1) {
        my $wait = @later ? $later[0][0] - time : 1;
        select(my $r = $rin, undef, undef, $wait < 0 ? 0 : $wait > 1 ? 1 : $wait);

        while (@later && $later[0][0] <= time) {
            my ($at, $client, $answer) = @{ shift @later };
            answer($client, $answer);
        }

        if (vec $r, fileno $listen, 1) {
            while (my $socket = $listen->accept) {
                $socket->blocking(0);
                setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;
                $clients{ fileno $socket } = { socket => $socket, fd => fileno $socket, in => '', out => '' };
                vec($rin, fileno $socket, 1) = 1;
            }
        }

        for my $fd (grep { vec $r, $_, 1 } keys %clients) {
            my $client = $clients{$fd};
            my $n = sysread $client->{socket}, $client->{in}, 65536, length $client->{in};

            if (!defined $n ? !$!{EAGAIN} : $n == 0) {
                $client->{gone} = 1;
            }
            while (my $raw = take(\$client->{in})) {
                request($client, $raw, $out, $script);
            }
        }

        for my $fd (keys %clients) {
            next if !$clients{$fd}{gone};
            vec($rin, $fd, 1) = 0;
            close $clients{$fd}{socket};
            delete $clients{$fd};
        }
    }
}

sub take {
    my $in = shift;

    my $end = index $$in, "\r\n\r\n";
    return undef if $end < 0;

    my $length = substr($$in, 0, $end) =~ /^Content-Length:\s*(\d+)/mi ? $1 : 0;
    return undef if length $$in < $end + 4 + $length;
    return substr $$in, 0, $end + 4 + $length, '';
}

sub request {
    my ($client, $raw, $out, $script) = @_;
    my $now = time;

    if ($raw =~ m{\ATELL /([^?\s]+)\?(\S*)}) {
        $told{$1} = $2;
        answer($client, 204);

        my @free = grep { $told{ $_->[0] } } @held;
        @held = grep { !$told{ $_->[0] } } @held;
        later(@$_[1, 2]) for @free;
        return;
    }

    syswrite $out, pack 'dN/a*', $now, $raw;

    my $r = parse($raw, $now);
    $r->{try} = ++$tries{ $r->{id} // '' };
    $r->{told} = \%told;

    my $answer = $script->($r);

    if (ref $answer && $answer->{until} && !$told{ $answer->{until} }) {
        push @held, [$answer->{until}, $client, $answer];
    } else {
        later($client, $answer);
    }
}

sub later {
    my ($client, $answer) = @_;

    return answer($client, $answer) if !ref $answer || !$answer->{delay};

    @later = sort { $a->[0] <=> $b->[0] } @later, [time + $answer->{delay}, $client, $answer];
}

sub answer {
    my ($client, $answer) = @_;

    $answer = { status => $answer } if !ref $answer;
    return if $client->{gone};

    if ($answer->{drop}) {
        setsockopt $client->{socket}, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0) if $answer->{drop} eq 'reset';
        $client->{gone} = 1;
        return;
    }

    my $out = $answer->{raw};

    if (!defined $out) {
        my $status = $answer->{status} // 200;
        my $body = $answer->{body} // ($status == 204 ? '' : '{"data":[{"id":"gw"}]}');
        my @lines = ("HTTP/1.1 $status Told", @{ $answer->{headers} // [] });
        push @lines, 'Content-Length: ' . length $body if $status != 204;
        push @lines, 'Connection: close' if $answer->{close};
        $out = join "\r\n", @lines, '', $body;
    }

    $client->{socket}->blocking(1) if length $out > 8192;
    while (length $out) {
        my $n = syswrite $client->{socket}, $out;
        if (!defined $n) {
            $client->{gone} = 1;
            return;
        }
        substr $out, 0, $n, '';
    }
    $client->{socket}->blocking(0);

    $client->{gone} = 1 if $answer->{close} || defined $answer->{raw};
}

sub parse {
    my ($raw, $time) = @_;

    my ($head, $body) = split /\r\n\r\n/, $raw, 2;
    my ($first, @lines) = split /\r\n/, $head;
    my ($method, $uri) = split / /, $first;
    my ($path, $args) = split /\?/, $uri, 2;
    my %header = map { /\A([^:]+):[ ]*(.*)\z/s ? (lc $1 => $2) : ($_ => undef) } @lines;

    return { time => $time, method => $method, uri => $uri, path => $path, args => $args, header => \%header, lines => \@lines,
             body => $body, id => $header{'idempotency-key'} };
}

1;
