# URLs of webhooks are a way into the operator's network.  What is refused when it is given, and what is not called though it was taken: a spy
# listens where nothing may come, and a library in the workers notes where they connect to.

use lib 't/lib';
use Campaign;
use Campaign::Fault;
use Campaign::Sending;
use Test::Nginx::Socket 'no_plan';
use IO::Socket::INET;
use POSIX ();

# the spy: at 127.0.0.1, on the port of the receiver at 127.0.0.2, which the operator allows
gateway(sub { { status => 302, headers => ['Location: http://127.0.0.1/'] } });

sub port { gateway()->port }
sub spied { grep { $_->{path} !~ m{\A/(?:heard|redirected)} } gateway()->requests }

# A name server.  Its answers change from question to question where a name has several lists; the last one stays
my %zone = (
    good    => [['127.0.0.2']],
    rebound => [['127.0.0.2'], ['127.0.0.1']],
    mixed   => [['127.0.0.1', '127.0.0.2', '10.0.0.1']],
    loop    => [['127.0.0.1']], zero => [['0.0.0.0']], meta => [['169.254.169.254']], ten => [['10.1.2.3']], lan => [['192.168.0.1']],
    cgnat   => [['100.64.0.1']], multi => [['224.0.0.1']], all => [['255.255.255.255']],
    six     => [['::1']], mapped => [['::ffff:127.0.0.1']], compatible => [['::127.0.0.1']], local => [['fe80::1']], unique => [['fd00::1']],
    nat64   => [['64:ff9b::7f00:1']], sixto4 => [['2002:7f00:1::']], teredo => [['2001:0:7f00:1::']],
);

my $dns = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Proto => 'udp') or die "udp: $!";
my $dns_port = $dns->sockport;
defined(my $dns_pid = fork) or die "fork: $!";

if ($dns_pid == 0) {
    $SIG{$_} = 'DEFAULT' for qw(INT TERM);
    my %asked;
    while (defined(my $peer = $dns->recv(my $query, 512))) {
        my ($id, $flags, @counts) = unpack 'n6', $query;
        my ($name, $at) = ('', 12);
        while (my $length = ord substr $query, $at, 1) {
            $name .= substr($query, $at + 1, $length) . '.';
            $at += 1 + $length;
        }
        my $type = unpack 'n', substr $query, $at + 1, 2;
        my ($host) = $name =~ /\A(\w+)\.hooks\.example\.com\.\z/;
        my $lists = defined $host ? $zone{$host} : undef;
        my $list = $lists ? $lists->[$type == 1 ? $asked{$host}++ : 0] // $lists->[-1] : [];
        my $answers = '';
        my $n = 0;
        for my $address (@$list) {
            my $six = $address =~ /:/;
            next if $type != ($six ? 28 : 1);
            my $bytes = $six ? Socket::inet_pton(Socket::AF_INET6(), $address) : Socket::inet_aton($address);
            $answers .= pack('n n n N n', 0xc00c, $type, 1, 0, length $bytes) . $bytes;
            $n++;
        }
        $dns->send(pack('n6', $id, $lists ? 0x8180 : 0x8183, 1, $n, 0, 0) . substr($query, 12, $at + 5 - 12) . $answers, 0, $peer);
    }
    POSIX::_exit(0);
}

my $parent = $$;
END { if ($$ == $parent && $dns_pid) { local $?; kill KILL => $dns_pid; waitpid $dns_pid, 0 } }

$Campaign::Config = channel('HEARD', 'receipts=off');

sub hooks { <<"END" }
campaign_webhook /_webhook allow=127.0.0.2/32;
location /_webhook {
    internal;
    resolver 127.0.0.1:$dns_port valid=1s;
    resolver_timeout 2s;
    campaign_retry attempts=1;
    proxy_pass \$campaign_webhook_url;
    proxy_set_header Host \$campaign_webhook_host;
}
END

sub receiver { <<"END" }
server {
    listen 127.0.0.2:@{[ port() ]};
    access_log logs/receiver.log;
    location / { return 200 'thanks'; }
    location /redirect { return 307 http://127.0.0.1:@{[ port() ]}/redirected/to; }
}
END

# where nginx has connected to, since it was asked
my $noted = store_dir() =~ s/-store\z/-connect/r;
note_again();
$ENV{TEST_NGINX_LD_PRELOAD} = tool('preload_connect.so');
$ENV{CAMPAIGN_CONNECT_LOG} = $noted;
$ENV{ASAN_OPTIONS} = join ':', grep { length } $ENV{ASAN_OPTIONS} // '', 'verify_asan_link_order=0';

sub note_again { open my $out, '>', $noted or die "$noted: $!"; chmod 0666, $noted }     # workers have a user of their own

sub connected {
    open my $in, '<', $noted or die "$noted: $!";
    my %to = map { chomp; ($_ => 1) } <$in>;
    note_again();
    return join ' ', sort grep { $_ ne "127.0.0.1:$dns_port" } keys %to;
}

# how a test event at this URL ended
sub ended {
    my ($account, $at) = @_;
    my $before = $account->get($at)->data->{failed};
    answered($account->post("$at/test"), 201, 'test');
    wait_for { my $w = $account->get($at)->data; $w->{waiting} == 0 };
    my $w = $account->get($at)->data;
    return join ' ', $w->{last_result} // 'null', $w->{last_code} // 'null';
}

run_tests();

__DATA__

=== TEST 1: a URL that leads into the operator's network is refused when it is given
--- check
my $a = account();
my @hosts = qw(127.0.0.1 127.0.0.2 127.255.255.255 0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 169.254.169.254 172.16.0.1
    172.31.255.255 192.0.0.1 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.255
    240.0.0.1 255.255.255.255 [::] [::1] [::127.0.0.1] [::ffff:127.0.0.1] [::ffff:8.8.8.8] [0:0:0:0:0:ffff:7f00:1] [64:ff9b::7f00:1]
    [64:ff9b:1::1] [100::1] [2001::1] [2001:db8::1] [2002:7f00:1::] [3fff::1] [fc00::1] [fd00:ec2::254] [fe80::1] [fec0::1] [ff02::1]
    localhost LOCALHOST a.localhost localhost.localdomain.localhost gateway told metadata metadata.google.internal printer.local x.home.arpa
    0177.0.0.1 0x7f.0.0.1 0x7f000001 2130706433 017700000001 127.1 127.0.1 127.0.0.1. 127.0.0.01 1.2.3.4.5 256.1.1.1 1.2.3 0
    user@example.com user:pw@example.com example.com@127.0.0.1 [::1%25lo] [::1]x %31%32%37.0.0.1 ex_ample.com -a.com a..b example.com.
    example.com:0 example.com:65536 example.com:080 example.com: :80);
push @hosts, "ex\x{e4}mple.com", "\x{2460}27.0.0.1", "127\x{3002}0.0.1", "a b", "a\tb", "a\nb", "a\r\nHost: b", "a\\b", 'a\\@b', '${x}', '$host', "a\x{7f}b";
my @urls = ((map { "http://$_/" } @hosts), (map { "https://$_/x?y" } @hosts[0 .. 7]),
    'unix:/run/x.sock', 'http://unix:/run/x.sock:/', 'http://unix:/run/x.sock:/v1', 'file:///etc/passwd', 'gopher://example.com/', 'ftp://example.com/',
    '//example.com/', 'http:/example.com/', 'http:\\\\example.com\\', 'http://example.com#@127.0.0.1/', 'http://example.com/#x', 'http://example.com/ x',
    "http://example.com/\r\nX: y", 'http://example.com/<x>', 'http://example.com/%', 'http://example.com/%zz', 'http://example.com/\\', ' http://example.com/');
cmp_ok(scalar @urls, '>=', 60, scalar(@urls) . ' URLs');
my @taken = grep { my $r = $a->post('/webhooks', { url => $_, event => 'delivery' }); $r->status != 400 || join(' ', $r->codes) ne '1209' } @urls;
is(json(\@taken), '[]', 'all are 1209');
is($a->get('/webhooks')->page->{total}, 0, 'none was kept');
is(connected(), '', 'nor was a connection made');
my $w = $a->make('/webhooks', { url => 'http://8.8.8.8/', event => 'delivery' });
@taken = grep { my $r = $a->put("/webhooks/$w->{id}", { url => $_ }); $r->status != 400 } @urls;
is(json(\@taken), '[]', 'nor does a change bring them in');


=== TEST 2: a name is looked up when it is called, and only an address that may be called is
--- config eval: main::hooks()
--- http_config eval: main::receiver()
--- check
my $a = account();
my $w = $a->make('/webhooks', { url => 'http://good.hooks.example.com:' . port() . '/', event => 'delivery' });
my $at = "/webhooks/$w->{id}";
my $to = sub { answered($a->put($at, { url => "http://$_[0]:" . port() . ($_[1] // '/') }), 200, "at $_[0]"); ended($a, $at) };
is($to->('good.hooks.example.com'), 'delivered 200', 'where the operator allows');
is($to->('127.0.0.2'), 'delivered 200', 'by its address, too');
is($to->('mixed.hooks.example.com'), 'delivered 200', 'of several addresses the one that may be called') for 1 .. 5;
is($to->("$_.hooks.example.com"), 'forbidden null', "$_: not called") for qw(loop zero meta ten lan cgnat multi all six mapped compatible local unique nat64 sixto4 teredo);
is($to->('nobody.hooks.example.com'), 'unresolved null', 'a name without an address');
is($to->('good.hooks.example.com', '/redirect'), 'status 307', 'a redirect is a failure');
is(scalar @{[ spied() ]}, 0, 'nothing came to the forbidden address') or diag json([map { $_->{path} } spied()]);
is(scalar(grep { $_->{path} =~ /redirected/ } gateway()->requests), 0, 'nor was the redirect followed');
is(connected(), '127.0.0.2:' . port(), 'nor was a connection made but to where the operator allows');
settled($a, start($a, 'HEARD'));
is(scalar @{[ requests('HEARD') ]}, 1, 'though the spy hears');


=== TEST 3: a name that leads elsewhere by its second look-up is not called there
--- config eval: main::hooks()
--- http_config eval: main::receiver()
--- check
note_again();
my $a = account();
my $w = $a->make('/webhooks', { url => 'http://rebound.hooks.example.com:' . port() . '/', event => 'delivery' });
my $at = "/webhooks/$w->{id}";
is(ended($a, $at), 'delivered 200', 'at first');
my $last;
wait_for { ($last = ended($a, $at)) ne 'delivered 200' } 15;
is($last, 'forbidden null', 'then it is not called any more');
is(connected(), '127.0.0.2:' . port(), 'and no connection was made');
is(scalar @{[ spied() ]}, 0, 'and nothing came to the forbidden address');


=== TEST 4: what was taken is judged again when it is called: the operator has closed the range since
--- config eval: main::hooks() =~ s/ allow=\S+;/;/r
--- http_config eval: main::receiver()
--- check
my $a = account();
refused($a->post('/webhooks', { url => 'http://127.0.0.2:' . port() . '/', event => 'message' }), 400, 1209, 'it is not taken any more');
my $w = $a->make('/webhooks', { url => 'http://good.hooks.example.com:' . port() . '/', event => 'delivery' });
is(ended($a, "/webhooks/$w->{id}"), 'forbidden null', 'a name that leads there is not called');
is(connected(), '', 'no connection was made');
open my $in, '<', "$ENV{TEST_NGINX_SERVROOT}/logs/receiver.log";
is(scalar @{[ <$in> // () ]}, 0, 'the receiver heard nothing');
