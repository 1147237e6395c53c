# Gateways that misbehave: each message ends as it should, nothing inside is reached, and another account's messages do not notice.
#
# One server with a behaviour for each text that it gets; each is a campaign of one message, tried once.  What counts: a 2xx whose header is
# whole is an acceptance, whatever follows it; a request that went out and got no such header is uncertain.

use lib 't/lib';
use Campaign;
use Campaign::Sending;
use IO::Socket::INET;
use POSIX ();
use Socket qw(SOL_SOCKET SO_LINGER);
use Test::Nginx::Socket 'no_plan';
use Time::HiRes qw(sleep time);

my $ok = "HTTP/1.1 200 OK\r\n";
my $good = '{"data":[{"id":"gw-1"}]}';

sub sized { my ($head, $body) = @_; "HTTP/1.1 200 OK\r\n${head}Content-Length: " . length($body) . "\r\n\r\n$body" }

# writes until the other side has enough of it, or so many seconds
sub drip { my ($s, $piece, $wait, $seconds) = @_; my $until = time + $seconds; while (time < $until) { defined syswrite $s, $piece or return; sleep $wait if $wait } }
sub reset_by { my ($s, $bytes) = @_; syswrite $s, $bytes if length $bytes; sleep 0.02; setsockopt $s, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0; close $s }

my $whole = sized('', $good);

# name => what is written (bytes, or a function of the socket), how the message ends, the gateway's id that is kept
our @behaviours = (
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

# the server: a process for each connection
my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 256, ReuseAddr => 1) or die "no server: $!\n";
my $port = $listen->sockport;
our $asked = store_dir() =~ s/-store\z/-asked/r;
unlink $asked;
my %does = map { $_->[0] => $_->[1] } @behaviours;

sub serve {
    my $s = shift;
    my $in = '';
    while (1) {
        my $head = index $in, "\r\n\r\n";
        my ($length) = $in =~ /^Content-Length: (\d+)/mi;
        last if $head >= 0 && length $in >= $head + 4 + ($length // 0);
        sysread $s, $in, 65536, length $in or POSIX::_exit(0);
    }
    open my $out, '>>', $asked;
    syswrite $out, ($in =~ /\A(.*?)\r\n/)[0] . "\n";
    my $does = $does{ ($in =~ /"text":"(\w+)"/)[0] // '' };
    ref $does ? $does->($s) : syswrite $s, $does if defined $does;
    shutdown $s, 1 if defined fileno $s;
    sleep 0.3;
    POSIX::_exit(0);
}

defined(my $server = fork) or die "fork: $!\n";
if (!$server) {
    $SIG{CHLD} = 'IGNORE';
    $SIG{$_} = 'DEFAULT' for qw(INT TERM);
    $SIG{PIPE} = 'IGNORE';
    my $parent = getppid;
    while (getppid == $parent) {
        my $in = '';
        vec($in, fileno $listen, 1) = 1;
        next if select($in, undef, undef, 1) <= 0;
        my $s = $listen->accept or next;
        defined(my $pid = fork) or next;
        serve($s) if !$pid;
        close $s;
    }
    POSIX::_exit(0);
}
close $listen;
my $main = $$;
END { if ($$ == $main) { local $?; kill KILL => $server; waitpid $server, 0 } }

gateway(sub { return $_[0]{path} eq '/secret' ? { status => 200, body => 'secret' } : 200 });

$Campaign::HttpConfig .= "campaign_retry attempts=1;\ncampaign_redelivery off;\n";

$Campaign::Config .= channel('HOSTILE', 'concurrency=16', "proxy_pass http://127.0.0.1:$port/hostile;\nproxy_read_timeout 4s;\n", <<'END_CONFIG') . channel('FINE', '');
location /_secret { internal; proxy_pass http://told/secret; }
location @secret { rewrite ^ /secret break; proxy_pass http://told; }
END_CONFIG

run_tests();

__DATA__

=== TEST 1: each behaviour has its outcome, nothing inside is reached, and a healthy account does not notice
--- check
my ($bad, $healthy) = (account(rate => 10000, burst => 1000), account(rate => 200, burst => 1));
$healthy->sender(channel => 'FINE');
$bad->sender(channel => 'HOSTILE');
my $c = $healthy->make('/campaigns', { from => 'Acme', channel => 'FINE', text => 'Hello', to => [numbers(400)] });
my %started = map { $_->[0] => $bad->make('/campaigns', { from => 'Acme', channel => 'HOSTILE', text => $_->[0], to => [numbers(1)] }) } @main::behaviours;
for (@main::behaviours) {
    my ($name, undef, $want, $id) = @$_;
    settled($bad, $started{$name}, 30);
    my ($m) = @{ $bad->get("/campaigns/$started{$name}{id}/messages")->data };
    my $is = join ' ', grep { defined } $m->{status}, $m->{reason};
    ref $want ? like($is, $want, $name) : is($is, $want, $name);
    is($m->{gateway_id}, $id, "$name: the gateway's id") if !ref $want;
    is($m->{attempts}, 1, "$name: tried once");
}
is(counts(settled($healthy, $c, 30)), 'completed: 400 sent of 400', 'the healthy account');
my @at = sort { $a <=> $b } map { $_->{time} } requests('FINE');
is(@at, 400, 'whose messages came once each');
cmp_ok($at[-1] - $at[0], '<', 2 * 2 + 3, 'in about the time that they take');
my ($gap) = sort { $b <=> $a } map { $at[$_] - $at[$_ - 1] } 1 .. $#at;
cmp_ok($gap, '<', 1, 'without a pause') or diag("longest gap: $gap s");
is(scalar requests('SECRET'), 0, 'no internal location was reached');
open my $in, '<', $main::asked or die;
is(scalar(() = <$in>), scalar @main::behaviours, 'the hostile gateway was asked once for each');
