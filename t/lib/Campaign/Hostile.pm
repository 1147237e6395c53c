package Campaign::Hostile;

# A server that misbehaves, as a gateway or as a receiver of webhooks: a behaviour for each name.  The name is the text of the message, or the last
# part of the path.  What counts of a reply: a 2xx whose header is whole is an acceptance, whatever follows it; a request that went out and got no
# such header is uncertain.

use v5.10.1;
use strict;
use warnings;

use Exporter 'import';
use IO::Socket::INET;
use POSIX ();
use Socket qw(SOL_SOCKET SO_LINGER);
use Time::HiRes qw(sleep time);

our @EXPORT = qw(behaviours hostile_port hostile_asked);

my $ok = "HTTP/1.1 200 OK\r\n";
my $good = '{"data":[{"id":"gw-1"}]}';

sub sized { my ($head, $body) = @_; "HTTP/1.1 200 OK\r\n${head}Content-Length: " . length($body) . "\r\n\r\n$body" }

# writes until the other side has enough of it, or so many seconds
sub drip { my ($s, $piece, $wait, $seconds) = @_; my $until = time + $seconds; while (time < $until) { defined syswrite $s, $piece or return; sleep $wait if $wait } }
sub reset_by { my ($s, $bytes) = @_; syswrite $s, $bytes if length $bytes; sleep 0.02; setsockopt $s, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0; close $s }

my $whole = sized('', $good);

# name => what is written (bytes, or a function of the socket), how a message ends there, the gateway's id that is kept
my @behaviours = (
    # what a good one does, for comparison
    [fine => $whole, 'sent', 'gw-1'],

    # nothing of a reply leads anywhere
    [accel_redirect => sized("X-Accel-Redirect: /_secret\r\n", $good), 'failed gateway_4xx'],
    [accel_redirect_named => sized("X-Accel-Redirect: \@secret\r\n", $good), 'failed gateway_4xx'],
    [accel_redirect_admin => sized("X-Accel-Redirect: /admin/accounts\r\n", $good), 'failed gateway_4xx'],
    [accel_redirect_twice => sized("X-Accel-Redirect: /_secret\r\nX-Accel-Redirect: /_secret\r\n", $good), qr/\Afailed /],
    [accel_others => sized("X-Accel-Limit-Rate: 1\r\nX-Accel-Buffering: yes\r\nX-Accel-Expires: 100\r\nX-Accel-Charset: x\r\n", $good), 'sent', 'gw-1'],
    [moved => "HTTP/1.1 302 Found\r\nLocation: /_secret\r\nContent-Length: 0\r\n\r\n", 'failed gateway_4xx'],
    [moved_outside => "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", 'failed gateway_4xx'],
    [refresh => sized("Refresh: 0; url=/_secret\r\nSet-Cookie: a=b\r\nLink: </_secret>; rel=preload\r\n", $good), 'sent', 'gw-1'],

    # interim answers
    [interim_alone => "HTTP/1.1 100 Continue\r\n\r\n", 'failed uncertain'],
    [interim_flood => sub { drip($_[0], "HTTP/1.1 102 Processing\r\n\r\n" x 100, 0.01, 1) }, 'failed uncertain'],
    [hints_flood => sub { drip($_[0], "HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n" x 100, 0.01, 1) }, 'failed uncertain'],
    [switching => "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nhello", 'failed uncertain'],

    # status lines
    [nothing => '', 'failed uncertain'],
    [old_http => "HTTP/0.9 hello", 'failed uncertain'],
    [no_http => "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" . "\0" x 40, 'failed uncertain'],
    [smtp => "220 mail.example.com ESMTP\r\n", 'failed uncertain'],
    [status_99999 => "HTTP/1.1 99999 What\r\n\r\n", 'failed uncertain'],
    [status_000 => "HTTP/1.1 000 Nothing\r\nContent-Length: 0\r\n\r\n", 'failed uncertain'],
    [status_999 => "HTTP/1.1 999 Denied\r\nContent-Length: 0\r\n\r\n", qr/\Afailed /],
    [status_299 => "HTTP/1.1 299 Well\r\nContent-Length: 0\r\n\r\n", 'sent'],
    [status_word => "HTTP/1.1 OK 200\r\n\r\n", 'failed uncertain'],
    [long_reason => 'HTTP/1.1 200 ' . 'O' x 20000 . "\r\n\r\n", 'failed uncertain'],

    # headers
    [header_nul => "${ok}X-Nul: a\0b\r\nContent-Length: 0\r\n\r\n", 'failed uncertain'],
    [header_cr => "${ok}X-Cr: a\rSet-Cookie: b\r\nContent-Length: 0\r\n\r\n", qr/\A(?:sent|failed uncertain)/],
    [header_endless => sub { syswrite $_[0], $ok; drip($_[0], 'X-Long: ' . 'x' x 1000 . "\r\n", 0.01, 2) }, 'failed uncertain'],
    [header_slow => sub { drip($_[0], 'H', 0.1, 2) }, 'failed uncertain'],
    [header_cut => "${ok}Content-Le", 'failed uncertain'],
    [header_names => sized(join('', map { chr . "-X: 1\r\n" } 0x21 .. 0x39, 0x3b .. 0x7e), $good), qr/\A(?:sent|failed uncertain)/],
    [header_fold => "${ok}X-Fold: a\r\n b\r\nContent-Length: 0\r\n\r\n", qr/\A(?:sent|failed uncertain)/],
    [length_twice => "${ok}Content-Length: 5\r\nContent-Length: 24\r\n\r\n$good", 'failed uncertain'],
    [length_and_chunked => "${ok}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 'failed uncertain'],
    [length_negative => "${ok}Content-Length: -1\r\n\r\n$good", qr/\A(?:sent|failed uncertain)/],
    [length_huge => "${ok}Content-Length: 99999999999999999999\r\n\r\n$good", qr/\A(?:sent|failed uncertain)/],
    [encoding_odd => "${ok}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", qr/\A(?:sent|failed uncertain)/],

    # bodies
    [body_short => "${ok}Content-Length: 100\r\n\r\n$good", 'sent', 'gw-1'],
    [body_more => "${ok}Content-Length: 24\r\n\r\n${good}HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", 'sent', 'gw-1'],
    [body_gzip => sized("Content-Encoding: gzip\r\n", "\x1f\x8b\x08" . "\0" x 50), 'sent'],
    [body_endless => sub { syswrite $_[0], "$ok\r\n{\"data\":{\"id\":\"endless\"},\"x\":\""; drip($_[0], 'x' x 65536, 0, 5) }, 'sent', 'endless'],
    [body_slow => sub { syswrite $_[0], "${ok}Content-Length: 1000\r\n\r\n$good"; drip($_[0], ' ', 0.1, 3) }, 'sent', 'gw-1'],
    [chunk_bad => "${ok}Transfer-Encoding: chunked\r\n\r\nZZ\r\nhello\r\n0\r\n\r\n", 'sent'],
    [chunk_huge => "${ok}Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nhello", 'sent'],
    [chunk_cut => "${ok}Transfer-Encoding: chunked\r\n\r\n18\r\n$good", 'sent', 'gw-1'],
    [chunk_tiny => "${ok}Transfer-Encoding: chunked\r\n\r\n" . join('', map { "1\r\n$_\r\n" } split //, $good) . "0\r\nX-Trailer: 1\r\n\r\n", 'sent', 'gw-1'],
    [json_deep => sized('', '{"a":' . '[' x 30000 . ']' x 30000 . ',"data":{"id":"x"}}'), 'sent'],
    [json_open => sized('', '{"data":[{"id":"' . 'x' x 3000), 'sent'],
    [json_doubles => sized('', '{"data":[{"id":"first","id":"second"}],"data":{"id":"third"}}'), 'sent', 'first'],
    [id_odd => sized('', '{"data":[{"id":"a\r\nX: 1"}]}'), 'sent'],
    [id_escape => sized('', '{"data":[{"id":"a\\u0000b"}]}'), 'sent'],
    [id_null => sized('', "{\"data\":[{\"id\":\"a\0b\"}]}"), 'sent'],
    [id_markup => sized('', '{"data":[{"id":"<script>alert(1)</script>"}]}'), 'sent', '<script>alert(1)</script>'],

    # resets
    (map { my $n = $_; ["reset_$n" => sub { reset_by($_[0], substr $whole, 0, $n) }, $n < index($whole, $good) ? 'failed uncertain' : qr/\A(?:sent|failed uncertain)/] }
        0, 1, 9, 17, 40, length($whole) - 1),
);

sub behaviours { @behaviours }

my %does = map { $_->[0] => $_->[1] } @behaviours;
my ($port, $asked, %servers);
my $main = $$;

# starts it: processes, each with one connection at a time.  The name of each request goes to the file
sub hostile_port {
    return $port if $port;

    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 256, ReuseAddr => 1) or die "no server: $!\n";
    ($port, $asked) = ($listen->sockport, $_[0]);
    unlink $asked;

    for (1 .. 24) {
        defined(my $pid = fork) or die "fork: $!\n";
        $servers{$pid} = 1 if $pid;
        next if $pid;

        $SIG{$_} = 'DEFAULT' for qw(INT TERM);
        $SIG{PIPE} = 'IGNORE';
        while (getppid == $main) {
            my $in = '';
            vec($in, fileno $listen, 1) = 1;
            next if select($in, undef, undef, 1) <= 0;
            $listen->blocking(0);
            my $s = $listen->accept or next;
            $s->blocking(1);
            serve($s);
        }
        POSIX::_exit(0);
    }
    return $port;
}

END { if ($$ == $main) { local $?; kill KILL => keys %servers; waitpid $_, 0 for keys %servers } }

# how often each behaviour was asked for, by its name
sub hostile_asked {
    open my $in, '<', $asked or return {};
    my %n;
    chomp, $n{$_}++ while <$in>;
    return \%n;
}

sub serve {
    my $s = shift;
    my $in = '';
    while (1) {
        my $head = index $in, "\r\n\r\n";
        my ($length) = $in =~ /^Content-Length: (\d+)/mi;
        last if $head >= 0 && length $in >= $head + 4 + ($length // 0);
        sysread $s, $in, 65536, length $in or return;
    }
    my $name = $in =~ /"text":"(\w+)"/ || $in =~ m{\A\w+ \S*/(\w+) } ? $1 : '';
    open my $out, '>>', $asked;
    syswrite $out, "$name\n";
    my $does = $does{$name};
    ref $does ? $does->($s) : syswrite $s, $does if defined $does;
    return if !defined fileno $s;

    # the other side closes, or is cut off
    shutdown $s, 1;
    my $r = '';
    vec($r, fileno $s, 1) = 1;
    select $r, undef, undef, 0.3;
}

1;
