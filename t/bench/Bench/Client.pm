package Bench::Client;

# A client of the API: one connection, kept; a request, its answer, the next one.

use v5.10.1;
use strict;
use warnings;

use Carp qw(croak);
use Errno;
use IO::Socket::INET;
use JSON::PP qw(decode_json encode_json);
use Socket qw(IPPROTO_TCP TCP_NODELAY);

sub new {
    my ($class, $port, $key) = @_;
    my $self = bless { port => $port, head => " HTTP/1.1\r\nHost: localhost\r\n" . ($key ? "X-Dexatel-Key: $key\r\n" : '') }, $class;
    return $self->connect;
}

sub connect {
    my $self = shift;
    $self->{socket} = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port}, Timeout => 5) or croak "connect: $!";
    setsockopt $self->{socket}, IPPROTO_TCP, TCP_NODELAY, 1;
    return $self;
}

# the bytes of a request
sub request {
    my ($self, $method, $path, $type, $body) = @_;
    return "$method $path$self->{head}\r\n" if !defined $body;
    return "$method $path$self->{head}Content-Type: $type\r\nContent-Length: " . length($body) . "\r\n\r\n$body";
}

# sends them, takes the answer: status and body
sub talk {
    my ($self, $request) = @_;
    $self->send($request);
    return $self->answer;
}

sub send {
    my ($self, $request) = @_;
    my $from = 0;
    while ($from < length $request) {
        $from += syswrite($self->{socket}, $request, length($request) - $from, $from) // croak "write: $!";
    }
}

sub answer {
    my $self = shift;
    my $in = '';

    while (1) {
        my $n = sysread $self->{socket}, $in, 65536, length $in;
        next if !defined $n && $!{EINTR};
        croak "the connection was closed: $in" if !$n;
        my $head = index $in, "\r\n\r\n";
        next if $head < 0;
        my ($status) = $in =~ /\AHTTP\/1\.1 (\d+) / or croak "no answer of HTTP: $in";
        my $length = $status == 204 ? 0 : ($in =~ /\r\nContent-Length: (\d+)\r\n/i)[0] // croak "an answer without a length: $in";
        return ($status, substr $in, $head + 4) if length $in >= $head + 4 + $length;
    }
}

# the body of a 2xx; any other answer ends the case
sub get { $_[0]->call(GET => $_[1]) }

sub call {
    my ($self, $method, $path, $type, $body) = @_;
    my ($status, $got) = $self->talk($self->request($method, $path, $type, $body));
    croak "$method $path: $status $got" if $status !~ /\A2/;
    return $got;
}

# JSON there and back, without "data"
sub ask {
    my ($self, $method, $path, $data) = @_;
    my $got = $self->call($method, $path, $data ? ('application/json', encode_json({ data => $data })) : ());
    return length $got ? decode_json($got)->{data} : undef;
}

1;
