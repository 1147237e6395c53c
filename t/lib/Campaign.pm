package Campaign;

# What the files of t/ share: a server with the module and a fresh store, accounts made over HTTP, and blocks whose `--- check` is Perl.
#
# A file says `use lib 't/lib'; use Campaign; use Test::Nginx::Socket 'no_plan';`, in this order, and ends in run_tests().  A block with
# `--- check` runs that code as one subtest against the running server; blocks with Test::Nginx's own sections work as ever.  Blocks are run in
# order and share one server as long as their configuration is the same, so a block makes the accounts it needs, and never counts on another's.
# A block fails when the error log got an alert, crit, emerg or a sanitizer's line, or when a process died.

use v5.10.1;
use strict;
use warnings;

use Carp qw(croak);
use Cwd ();
use Errno qw(EAGAIN EINTR EWOULDBLOCK);
use Exporter 'import';
use File::Path qw(make_path remove_tree);
use HTTP::Tiny;
use IO::Socket::INET;
use JSON::PP ();
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Test::More ();
use Time::HiRes qw(sleep time);

our @EXPORT = qw(account admin nobody wire request answered refused wait_for json uuid store_dir gateway_port);

my ($root, $name, $store, $port);

# two ports that follow each other, below those of outgoing connections
sub free_ports {
    for (1 .. 200) {
        my $first = 20000 + 2 * int rand 6000;
        my @sockets = grep { $_ } map { IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $_, Listen => 1) } $first, $first + 1;
        return $first if @sockets == 2;
    }
    die "no free ports\n";
}

BEGIN {
    $root = Cwd::realpath('.');
    ($name) = $0 =~ m{([^/]+)\.t\z} or die "$0 is not a .t\n";

    $port = $ENV{TEST_NGINX_SERVER_PORT} // free_ports();

    $ENV{TEST_NGINX_SERVER_PORT} = $port;
    $ENV{TEST_NGINX_STREAM_PORT} //= $port + 2;          # Test::Nginx cannot count on from an address
    $ENV{TEST_NGINX_BINARY} //= "$root/build/sbin/nginx";
    $ENV{TEST_NGINX_SERVROOT} //= "$root/build/root/$name";
    $ENV{TEST_NGINX_TIMEOUT} //= 10;

    $store = "$ENV{TEST_NGINX_SERVROOT}-store";
    $store =~ m{/build/} or die "$store is not below build/\n";

    remove_tree($store);
    make_path($ENV{TEST_NGINX_SERVROOT});
    make_path($store, { mode => 0700 });
}

use Test::Nginx::Util ();

my $broken = qr/\[(?:alert|crit|emerg)\]|runtime error:|[A-Za-z]+Sanitizer/;

# a test that took too long ends what it has started, as at its own end
$SIG{TERM} = sub { exit 1 };

# what a file adds to the configuration of all its blocks
our ($HttpConfig, $Config, $Dispatch) = ('', '', 'off');

my $json = JSON::PP->new->utf8->canonical->allow_nonref;

sub store_dir { $store }
sub gateway_port { $port + 1 }
sub json { $json->encode($_[0]) }


Test::Nginx::Util::server_port("127.0.0.1:$port");
Test::Nginx::Util::server_port_for_client($port);
Test::Nginx::Util::no_shuffle();
Test::Nginx::Util::master_on();
Test::Nginx::Util::workers(2);
Test::Nginx::Util::worker_connections(1024);
Test::Nginx::Util::log_level('info');
$Test::Nginx::Util::ForceRestartOnTest = 0;

Test::Nginx::Util::add_block_preprocessor(sub {
    my $block = shift;

    $block->set_value(http_config => http_config() . ($block->http_config // '')) unless $block->bare;
    $block->set_value(config => config() . ($block->config // '')) unless $block->bare;
    $block->set_value(no_shutdown_error_log => $broken);

    if (!$block->request && !$block->raw_request && !$block->pipelined_requests) {
        $block->set_value(request => 'GET /ready');
        $block->set_value(error_code => 204);
    }

    $block->set_value(init => 'Campaign::run_check($block);') if $block->check;
});

Test::Nginx::Util::add_test_cleanup_handler(\&check_error_log);


sub http_config { <<"END" . $HttpConfig }
campaign_store $store size=1g;
campaign_dispatch $Dispatch;

upstream gateway {
    server 127.0.0.1:@{[ gateway_port() ]};
    keepalive 16;
}

server {
    listen 127.0.0.1:@{[ gateway_port() ]};
    location / {
        return 200 '{"data":[{"id":"gw-\$http_idempotency_key"}]}';
    }
}
END

sub config { <<'END' . gateway_location('sms') . gateway_location('viber') . $Config }
location = /ready {
    return 204;
}

location /v1/ {
    campaign_api;
}

location /admin/ {
    campaign_admin;
}

campaign_gateway SMS /_gateway/sms;
campaign_gateway VIBER /_gateway/viber receipts=off;
END

sub gateway_location { <<"END" }
location /_gateway/$_[0] {
    internal;
    proxy_pass http://gateway/v1/messages;
    proxy_method POST;
    proxy_http_version 1.1;
    proxy_pass_request_headers off;
    proxy_set_header Connection "";
    proxy_set_header Idempotency-Key \$campaign_message_id;
    proxy_set_body \$campaign_body;
}
END


sub run_check {
    my $block = shift;
    my $title = $block->name;

    my $check = eval "package main; use strict; use warnings; use utf8;\n# line 1 \"$title\"\nsub { " . $block->check . "\n}";
    my $syntax = $@;

    Test::More::subtest($title => sub {
        return Test::More::fail("the check compiles: $syntax") if !$check;
        eval { $check->(); 1 } or Test::More::fail("the check runs to its end: $@");
    });
}


# new lines of the error log since the last block; a new file after a restart
my ($log_inode, $log_at) = (0, 0);

sub check_error_log {
    my $block = shift;

    return if defined $block->must_die;

    open my $in, '<', "$ENV{TEST_NGINX_SERVROOT}/logs/error.log" or return;
    my $inode = (stat $in)[1];
    ($log_inode, $log_at) = ($inode, 0) if $inode != $log_inode;

    seek $in, $log_at, 0;
    my @bad = grep { /$broken/ } <$in>;
    $log_at = tell $in;

    Test::More::is("@bad", '', $block->name . ' - the error log is clean');
}


# accounts, and who speaks for them

my $accounts = 0;

# a new account, active, 1000 messages/s unless the fields say otherwise
sub account {
    my $r = admin()->post('/accounts', { name => 'account ' . ++$accounts . ' ' . time, rate => 1000, @_ });
    croak 'no account: ' . $r->body if $r->status != 201;
    return Campaign::Client->new('/v1', $r->data->{api_key}, $r->data->{id});
}

sub admin { Campaign::Client->new('/admin', undef, undef) }

# a client of the API with this key; undef: without one
sub nobody { Campaign::Client->new('/v1', $_[0], undef) }


# assertions; each is one test

# the answer is $status and no error
sub answered {
    my ($r, $status, $title) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;

    Test::More::is($r->status, $status, $title) or Test::More::diag(substr $r->body // '', 0, 1000);
}

# the answer is $status with the envelope of the contract and just these codes, in this order; the status is that of the first
sub refused {
    my ($r, $status, $codes, $title) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $want = join ' ', $status, ref $codes ? @$codes : $codes;
    my $got = $r->envelope_fault // join ' ', $r->status, $r->codes;

    Test::More::is($got, $want, $title) or Test::More::diag(substr $r->body // '', 0, 1000);
}

# waits until the condition is true; its last value
sub wait_for(&;$) {
    my ($condition, $seconds) = @_;
    my $until = time + ($seconds // 10);

    while (1) {
        my $value = $condition->();
        return $value if $value || time > $until;
        sleep 0.02;
    }
}

sub uuid { qr/\A[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\z/ }


# bytes of a request as a client may write them; a body gets its length unless the headers say otherwise
sub request {
    my ($method, $path, $headers, $body) = @_;
    my @headers = ('Host: localhost', @{ $headers // [] });

    push @headers, 'Content-Length: ' . length $body if defined $body && !grep { /^(?:Content-Length|Transfer-Encoding):/i } @headers;

    return join "\r\n", "$method $path HTTP/1.1", @headers, '', $body // '';
}

# Writes the pieces to one connection, each in a packet of its own, and reads until the server closes or has given an answer.  Options: answers
# (so many, and a list is returned), head (1: answers have no body), closed (1: also waits for the server's close).
sub wire {
    my $options = ref $_[0] eq 'HASH' ? shift : {};
    my @pieces = @_;
    my ($in, $written, $eof) = ('', 0, 0);
    my $until = time + 20;

    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port, Timeout => 5) or croak "connect: $!";
    setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;
    $socket->blocking(0);
    local $SIG{PIPE} = 'IGNORE';

    my $more = $options->{answers} // 1;
    my @answers;

    while (!$eof && time < $until && (@answers < $more || $options->{closed})) {
        my ($rin, $win) = ('', '');
        vec($rin, fileno $socket, 1) = 1;
        vec($win, fileno $socket, 1) = 1 if @pieces;
        select $rin, $win, undef, 1;

        if (vec $rin, fileno $socket, 1) {
            my $n = sysread $socket, $in, 65536, length $in;
            $eof = 1 if defined $n ? $n == 0 : !($!{EAGAIN} || $!{EINTR} || $!{EWOULDBLOCK});
        }
        if (@pieces && vec $win, fileno $socket, 1) {
            my $n = syswrite $socket, $pieces[0], length($pieces[0]) - $written, $written;
            if (!defined $n) {
                @pieces = () if !($!{EAGAIN} || $!{EINTR} || $!{EWOULDBLOCK});
            } elsif (($written += $n) >= length $pieces[0]) {
                shift @pieces;
                $written = 0;
                sleep 0.001 if @pieces;             # keeps packets apart; nothing depends on it
            }
        }
        next if $options->{closed};                 # parsed once, at the end: a long answer is not searched at each piece
        while (my $answer = Campaign::Answer->take(\$in, $options->{head}, $eof)) {
            push @answers, $answer;
        }
    }

    while (my $answer = Campaign::Answer->take(\$in, $options->{head}, $eof)) {
        push @answers, $answer;
    }

    $_->{closed} = $eof for @answers;
    return @answers if $options->{answers};
    return $answers[0] // Campaign::Answer->new(undef, undef, 0, {}, 'no answer');
}


package Campaign::Client;

# HTTP::Tiny writes header and body apart: without this the body of every POST waits for the delayed ACK of its header, 40 ms
{
    no warnings 'redefine';
    my $connect = \&HTTP::Tiny::Handle::connect;
    *HTTP::Tiny::Handle::connect = sub {
        my $handle = $connect->(@_);
        setsockopt $handle->{fh}, Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1;
        return $handle;
    };
}

sub new {
    my ($class, $prefix, $key, $id) = @_;
    my $http = HTTP::Tiny->new(timeout => 60, keep_alive => 1, max_redirect => 0);
    return bless { prefix => $prefix, key => $key, id => $id, http => $http }, $class;
}

# waits for an answer so many seconds only
sub patience {
    my ($self, $seconds) = @_;
    $self->{http}->timeout($seconds);
    return $self;
}

sub key { $_[0]{key} }
sub id { $_[0]{id} }

# the account's key, or another one, as a header line
sub header { 'X-Dexatel-Key: ' . $_[0]{key} }

# a path that starts with the prefix is taken as it is (links), another one stands below it.  A body that is a reference is sent as {"data": …}
sub call {
    my ($self, $method, $path, $body, %headers) = @_;

    $path = $self->{prefix} . $path if index($path, "$self->{prefix}/") != 0;
    $headers{'X-Dexatel-Key'} //= $self->{key} if defined $self->{key};

    my %options = (headers => \%headers);

    if (defined $body) {
        $headers{'Content-Type'} //= 'application/json';
        $options{content} = ref $body ? $json->encode({ data => $body }) : $body;
    }

    my $r = $self->{http}->request($method, "http://127.0.0.1:$port$path", \%options);
    return Campaign::Answer->new($method, $path, $r->{status}, $r->{headers}, $r->{content});
}

sub get { shift->call(GET => $_[0], undef, @_[1 .. $#_]) }
sub head { shift->call(HEAD => $_[0], undef, @_[1 .. $#_]) }
sub options { shift->call(OPTIONS => $_[0], undef, @_[1 .. $#_]) }
sub post { shift->call(POST => @_) }
sub put { shift->call(PUT => @_) }
sub patch { shift->call(PATCH => @_) }
sub delete { shift->call(DELETE => $_[0], undef, @_[1 .. $#_]) }

# objects that a test needs on its way: made, or the test ends here
sub make {
    my ($self, $path, $data) = @_;
    my $r = $self->post($path, $data);
    Carp::croak "$path: " . $r->status . ' ' . $r->body if $r->status != 201;
    return $r->data;
}

my $made = 0;

sub sender { my $self = shift; $self->make('/senders', { name => 'Acme', channel => 'SMS', @_ }) }
sub template { my $self = shift; $self->make('/templates', { text => 'Hello {first_name|friend}', channel => 'SMS', @_ }) }

sub audience {
    my $self = shift;
    return $self->make('/audiences', { name => 'audience ' . ++$made, channel => 'SMS', contacts => [{ number => '15551234567' }], @_ });
}

# an inline campaign of a sender that exists, far in the future
sub campaign {
    my $self = shift;
    return $self->make('/campaigns', { from => 'Acme', channel => 'SMS', text => 'Hello', to => ['15551234567'],
                                       schedule => '2100-01-01 00:00:00', @_ });
}


package Campaign::Answer;

sub new {
    my ($class, $method, $path, $status, $headers, $body) = @_;
    return bless { method => $method, path => $path, status => $status, headers => $headers, body => $body }, $class;
}

# the first answer out of the bytes read so far; undef: it is not whole yet
sub take {
    my ($class, $in, $head, $eof) = @_;

    $$in =~ /\A(HTTP\/1\.[01] (\d\d\d)[^\r\n]*\r\n(.*?\r\n)?)\r\n/s or return;
    my ($length, $status, $lines) = (length($1) + 2, $2, $3 // '');
    my %headers;

    for (split /\r\n/, $lines) {
        my ($field, $value) = split /:\s*/, $_, 2;
        $headers{lc $field} = exists $headers{lc $field} ? "$headers{lc $field}, $value" : $value;
    }

    my $body = '';
    if ($status == 100) {
        substr $$in, 0, $length, '';
        return $class->take($in, $head, $eof);
    }
    if (!$head && $status != 204 && $status != 304) {
        my $rest = substr $$in, $length;
        if (defined $headers{'content-length'}) {
            return if length $rest < $headers{'content-length'};
            $body = substr $rest, 0, $headers{'content-length'};
            $length += length $body;
        } elsif (($headers{'transfer-encoding'} // '') eq 'chunked') {
            my $all = $rest;
            while ($rest =~ s/\A([0-9a-f]+)\r\n//i) {
                my $n = hex $1;
                return if length $rest < $n + 2;
                $body .= substr $rest, 0, $n;
                substr $rest, 0, $n + 2, '';
                $length += length($all) - length $rest and last if $n == 0;
            }
            return if length($rest) == length $all || $rest =~ /\A\z/ && $all !~ /0\r\n\r\n\z/;
        } else {
            return if !$eof;
            $body = $rest;
            $length += length $body;
        }
    }

    substr $$in, 0, $length, '';
    return $class->new(undef, undef, $status, \%headers, $body);
}

sub status { $_[0]{status} }
sub body { $_[0]{body} }
sub header { $_[0]{headers}{ lc $_[1] } }
sub closed { $_[0]{closed} }

sub json {
    my $self = shift;
    return $self->{json} //= $json->decode($self->{body});
}

sub data { $_[0]->json->{data} }
sub page { $_[0]->json->{pagination} }
sub errors { @{ $_[0]->json->{errors} } }
sub codes { map { $_->{code} } $_[0]->errors }
sub messages { map { $_->{message} } $_[0]->errors }

# what is wrong with the envelope of an error; undef: nothing
sub envelope_fault {
    my $self = shift;

    my $type = $self->header('content-type') // 'none';
    return "Content-Type is $type" if $type ne 'application/json';

    my $envelope = eval { $json->decode($self->{body}) } or return 'the body is no JSON: ' . ($self->{body} // '');
    return 'the body is no envelope' if ref $envelope ne 'HASH' || join(',', keys %$envelope) ne 'errors' || !@{ $envelope->{errors} };

    for my $e (@{ $envelope->{errors} }) {
        return 'an error has fields ' . join ',', sort keys %$e if join(',', sort keys %$e) ne 'code,message,method,path,status,timestamp';
        return "timestamp is $e->{timestamp}" if $e->{timestamp} !~ /\A\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\z/;
        return 'message is empty' if $e->{message} eq '';
        return "status is $e->{status}" if $e->{status} !~ /\A[45]\d\d\z/;
        return "method is $e->{method}" if defined $self->{method} && $e->{method} ne $self->{method};
        return "path is $e->{path}" if defined $self->{path} && $e->{path} ne $self->{path} =~ s/\?.*//sr;
    }

    return 'the status line says ' . $self->{status} if $self->{status} != $envelope->{errors}[0]{status};
    return undef;
}

1;
