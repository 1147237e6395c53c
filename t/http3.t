# Clients that come by HTTP/3: the API as it is by HTTP/1.1 and HTTP/2, over QUIC, with curl of a release that has it.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Nginx;
use Cwd ();
use JSON::PP ();
use Test::More;

# this machine's curl, or one that was unpacked with the C library that it was made for
my ($loader) = glob Cwd::realpath('.') . '/build/curl/usr/lib/*/ld-linux*.so*';
my @curl = `curl -V` =~ /\bHTTP3\b/ ? 'curl' : $loader ? ($loader, '--library-path', $loader =~ s{/[^/]*\z}{}r, $loader =~ s{/usr/lib/.*}{/usr/bin/curl}r) : ();

plan(skip_all => 'no curl with HTTP/3') if !@curl;
plan(skip_all => 'this nginx has no HTTP/3') if `$ENV{TEST_NGINX_BINARY} -V 2>&1` !~ /http_v3_module/;

my $port = $ENV{TEST_NGINX_SERVER_PORT};
my $quic = $port + 1;
my $file = "$ENV{TEST_NGINX_SERVROOT}-http3";

my $server = Campaign::Nginx->new('http3', port => $port, text => <<"END");
error_log logs/error.log info; pid logs/nginx.pid;
worker_processes 1;
events { worker_connections 1024; }
http {
    log_format calls '\$campaign_account|\$request_method|\$uri|\$status|\$server_protocol|\$http3';
    access_log logs/calls.log calls;
    keepalive_timeout 2s;                       # of QUIC, too: who was killed is given up soon
    client_max_body_size 32m;
    campaign_store store size=1g;

    server {
        listen 127.0.0.1:$port;
        listen 127.0.0.1:$quic quic reuseport;
        listen 127.0.0.1:$quic ssl;
        ssl_certificate $file.crt;
        ssl_certificate_key $file.key;
        add_header Alt-Svc 'h3=":$quic"; ma=60';

        location /v1/ { campaign_api; }
        location /admin/ { campaign_admin; }
        location = /receipts { campaign_receipts; }

        campaign_gateway SMS /_gateway/sms;
        location /_gateway/sms { internal; return 204; }
    }
}
END

system("openssl req -x509 -newkey rsa:2048 -nodes -keyout $file.key -out $file.crt -subj /CN=localhost -addext subjectAltName=DNS:localhost -days 2 >/dev/null 2>&1") == 0
    or die 'openssl';
my ($fine, $said) = $server->tested;
ok($fine, 'nginx -t') or diag $said;
$server->start;

my $account = account();
my @key = ('-H', 'X-Dexatel-Key: ' . $account->key);
my @json = ('-H', 'Content-Type: application/json');

# status, version of HTTP, body; the certificate is looked at
sub ask {
    my ($path, @options) = @_;
    open my $in, '-|', @curl, '-s', '--http3-only', '--cacert', "$file.crt", '--resolve', "localhost:$quic:127.0.0.1", '--max-time', 30,
        '-w', '\n%{http_code} %{http_version}', @options, "https://localhost:$quic$path" or die "curl: $!";
    my $all = do { local $/; <$in> };
    close $in;
    my ($body, $status, $version) = $all =~ /\A(.*)\n(\d+) (\S+)\z/s or die "curl: $all";
    return ($status, $version, $body);
}

sub post { ask($_[0], @key, @json, '-d', JSON::PP->new->utf8->encode({ data => $_[1] })) }
sub data { JSON::PP->new->utf8->decode($_[0])->{data} }
sub envelope { my $e = eval { JSON::PP->new->utf8->decode($_[0])->{errors} } or return 'none'; join ' ', map { "$_->{status} $_->{code}" } @$e }

my ($status, $version, $body) = post('/v1/senders', { name => 'Acme', channel => 'SMS' });
is("$status $version", '201 3', 'a POST, by HTTP/3') or diag $body;

subtest 'a campaign' => sub {
    ($status, $version, $body) = post('/v1/campaigns', { name => 'by QUIC', from => 'Acme', channel => 'SMS', text => 'Hello', to => [map { '' . (15550000000 + $_) } 1 .. 500] });
    is("$status $version", '201 3', 'is created') or diag $body;
    my $id = data($body)->{id};
    is(data($body)->{links}{self}, "/v1/campaigns/$id", 'links');
    ok(wait_for(sub { $account->get("/campaigns/$id")->data->{status} eq 'completed' }), 'and sent');
    ($status, $version, $body) = ask("/v1/campaigns/$id", @key);
    is("$status $version " . data($body)->{messages}{sent}, '200 3 500', 'as it is seen by HTTP/3');
    my ($m) = @{ $account->get("/campaigns/$id/messages?page_size=1")->data };
    ($status, $version, $body) = ask('/receipts', @json, '-d', qq([{"id":"$m->{id}","status":"DELIVERED"}]));
    is("$status $version", '200 3', 'a receipt');
    is($account->get("/messages/$m->{id}")->data->{status}, 'delivered', 'counts');
    ($status, $version, $body) = ask("/v1/campaigns/$id", @key, '-X', 'DELETE');
    is("$status$body", 204, 'it is deleted');
};

subtest 'lists' => sub {
    post('/v1/templates', { name => "t$_", text => 'Hi', channel => 'SMS' }) for 1 .. 3;
    ($status, $version, $body) = ask('/v1/templates?page_size=2', @key);
    is(join(' ', $status, $version, map { $_->{name} } @{ data($body) }), '200 3 t3 t2', 'a page');
    my $page = JSON::PP->new->utf8->decode($body)->{pagination};
    is($page->{total}, 3, 'of all');
    ($status, $version, $body) = ask($page->{links}{next}, @key);
    is(join(' ', $status, map { $_->{name} } @{ data($body) }), '200 t1', 'and the next one');
    ($status, $version, $body) = ask('/v1/templates', @key, '-I');
    is("$status $version", '200 3', 'HEAD');
};

subtest 'errors' => sub {
    for (['400 400 1152', '/v1/senders/x', @key], ['401 401 1001', '/v1/senders'], ['401 401 1002', '/v1/senders', '-H', 'X-Dexatel-Key: nobody'],
         ['404 404 1004', '/v1/nothing', @key], ['405 405 1013', '/v1/senders', @key, '-X', 'PUT'], ['400 400 1005', '/v1/senders', @key, @json, '-d', '{'],
         ['415 415 1006', '/v1/senders', @key, '-H', 'Content-Type: text/plain', '-d', 'x'], ['400 400 1153 400 1155', '/v1/senders', @key, @json, '-d', '{"data":{}}']) {
        my ($want, @how) = @$_;
        ($status, $version, $body) = ask(@how);
        is("$status " . envelope($body), $want, "$how[0]: $want");
    }
    my @again = map { (ask('/v1/templates', @key, @json, '-H', 'Idempotency-Key: quic', '-d', '{"data":{"text":"Hi","channel":"SMS"}}'))[2] } 1, 2;
    is($again[1], $again[0], 'an idempotency key');
};

subtest 'uploads and exports stream' => sub {
    my $list = $account->audience(contacts => []);
    open my $out, '>', "$file.csv" or die;
    print $out "number,first_name\n", map { 15550000000 + $_ . ",Ann\n" } 1 .. 50_000;
    close $out;
    my @up = ("/v1/audiences/$list->{id}/contacts", @key, '-H', 'Content-Type: text/csv', '--data-binary', "\@$file.csv");
    ($status, $version, $body) = ask(@up);
    is("$status $version " . (data($body)->{created} // $body), '201 3 50000', 'an upload of 50 000 lines');
    ($status, $version, $body) = ask("/v1/audiences/$list->{id}/contacts", @key, '-H', 'Accept: text/csv');
    is("$status " . (() = $body =~ /\r\n/g), '200 50001', 'an export');

    # a client that goes away in the middle of its upload
    my $other = $account->audience(contacts => []);
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDOUT, '>', '/dev/null';
        exec @curl, '-s', '--http3-only', '-k', '--limit-rate', '100k', @key, '-H', 'Content-Type: text/csv', '--data-binary', "\@$file.csv",
            "https://127.0.0.1:$quic/v1/audiences/$other->{id}/contacts" or POSIX::_exit(127);
    }
    select undef, undef, undef, 0.5;            # some of it is on its way
    kill KILL => $pid;
    waitpid $pid, 0;
    is($account->get("/audiences/$other->{id}")->data->{contacts_count}, 0, 'half an upload leaves nothing');
    ($status) = ask('/v1/senders', @key);
    is($status, 200, 'and nobody notices');
};

open my $in, '<', $server->root . '/logs/calls.log' or die;
my @calls = grep { /\|h3$/ } <$in>;
like($calls[0], qr{\A\Q@{[ $account->id ]}\E\|POST\|/v1/senders\|201\|HTTP/3\.0\|h3$}, 'variables of the log');
cmp_ok(scalar @calls, '>=', 24, 'all of it went by HTTP/3');
is($server->alerts, '', 'nothing in the log');
$server->stop;

done_testing();
