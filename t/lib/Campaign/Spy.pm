package Campaign::Spy;

# A server that notes what comes to it byte by byte: for HTTP and FastCGI, a process of its own.  It answers 200 once a request is whole, then
# reads until the other side has closed: bytes of a second request, if there are any, are in the same record.

use v5.10.1;
use strict;
use warnings;

use Carp qw(croak);
use IO::Socket::INET;
use POSIX ();

my %running;

sub new {
    my ($class, $file) = @_;
    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1024, ReuseAddr => 1) or croak "no spy: $!";
    my $self = bless { port => $listen->sockport, file => $file, at => 0, records => [] }, $class;

    open my $out, '>', $file or croak "$file: $!";
    defined($self->{pid} = fork) or croak "fork: $!";

    if ($self->{pid} == 0) {
        $SIG{$_} = 'DEFAULT' for qw(INT TERM);
        $SIG{PIPE} = 'IGNORE';
        eval { serve($listen, $out) };
        print STDERR "spy: $@" if $@;
        POSIX::_exit(1);
    }
    $running{ $self->{pid} } = 1;
    return $self;
}

sub port { $_[0]{port} }

my $parent = $$;

END {
    if ($$ == $parent) {
        local $?;
        kill KILL => keys %running;
        waitpid $_, 0 for keys %running;
    }
}

# bytes of each connection that has ended
sub records {
    my $self = shift;
    open my $in, '<:raw', $self->{file} or croak "$self->{file}: $!";
    seek $in, $self->{at}, 0;
    my $new = do { local $/; <$in> } // '';

    while (length $new >= 4 && length $new >= 4 + unpack 'N', $new) {
        my $length = unpack 'N', $new;
        push @{ $self->{records} }, substr $new, 4, $length;
        substr $new, 0, 4 + $length, '';
        $self->{at} += 4 + $length;
    }
    return @{ $self->{records} };
}

sub serve {
    my ($listen, $out) = @_;
    my %clients;
    my $rin = '';

    vec($rin, fileno $listen, 1) = 1;

    while (getppid == $parent) {
        select(my $r = $rin, undef, undef, 1);

        if (vec $r, fileno $listen, 1) {
            my $socket = $listen->accept or next;
            $clients{ fileno $socket } = { socket => $socket, in => '' };
            vec($rin, fileno $socket, 1) = 1;
        }

        for my $fd (grep { vec $r, $_, 1 } keys %clients) {
            my $client = $clients{$fd};
            my $n = sysread $client->{socket}, $client->{in}, 65536, length $client->{in};

            if (!$n) {
                syswrite $out, pack 'N/a*', $client->{in} if length $client->{in};
                vec($rin, $fd, 1) = 0;
                delete $clients{$fd};
            } elsif (!$client->{answered} and defined(my $answer = answer($client->{in}))) {
                $client->{answered} = 1;
                syswrite $client->{socket}, $answer;
                shutdown $client->{socket}, 1;
            }
        }
    }
    POSIX::_exit(0);
}

# to a whole request
sub answer {
    my $in = shift;

    if ($in =~ /\A\x01/) {
        my ($params, $stdin, $end) = fastcgi($in);
        my $text = "Status: 200\r\nContent-Type: text/plain\r\n\r\nok";
        return $end ? pack('CCnnCxa*', 1, 6, 1, length $text, 0, $text) . pack('CCnnCx', 1, 6, 1, 0, 0) . pack('CCnnCxNCx3', 1, 3, 1, 8, 0, 0, 0) : undef;
    }

    my $head = index $in, "\r\n\r\n";
    return undef if $head < 0;
    my $length = substr($in, 0, $head + 2) =~ /^Content-Length: (\d+)\r$/mi ? $1 : 0;
    return length $in < $head + 4 + $length ? undef : "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";
}

# what a FastCGI request has: pairs of parameters as they came, its input, where it ends (undef: not yet)
sub fastcgi {
    my $in = shift;
    my ($at, $params, $stdin, $end) = (0, '', '', undef);

    while (length $in >= $at + 8) {
        my (undef, $type, undef, $length, $padding) = unpack 'CCnnC', substr $in, $at, 8;
        last if length $in < $at + 8 + $length + $padding;
        my $content = substr $in, $at + 8, $length;
        $at += 8 + $length + $padding;
        $params .= $content if $type == 4;
        $stdin .= $content if $type == 5;
        if ($type == 5 && $length == 0) {
            $end = $at;
            last;
        }
    }

    my @pairs;
    while (length $params) {
        my @n;
        for (1, 2) {
            my $n = unpack 'C', $params;
            push @n, $n < 128 ? $n : unpack('N', $params) & 0x7fffffff;
            substr $params, 0, $n < 128 ? 1 : 4, '';
        }
        push @pairs, [substr($params, 0, $n[0]), substr $params, $n[0], $n[1]];
        substr $params, 0, $n[0] + $n[1], '';
    }
    return (\@pairs, $stdin, $end);
}

1;
