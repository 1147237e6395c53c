# The module among nginx's own: behind another nginx, TLS and HTTP/2 in front of it, real_ip, auth_request, limit_req behind a proxy, logs with its
# variables, another prefix, and two server blocks with gateways of their own on one store.
#
# HTTP/3 is not tried here: no client for it is in Debian 12 (its curl has none); nginx 1.26 would be configured with OpenSSL 3.0 and a layer of its own.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Gateway;
use Campaign::Nginx;
use JSON::PP ();
use Test::More;

my $port = $ENV{TEST_NGINX_SERVER_PORT};
my ($front, $second, $auth) = map { $port + $_ } 1 .. 3;
my $root = "$ENV{TEST_NGINX_SERVROOT}-proxy";
my $gateway = Campaign::Gateway->new(file => "$root.gateway", script => sub { { status => 200, body => '{"data":[{"id":"g"}]}' } });
my $to = '127.0.0.1:' . $gateway->port;

my $server = Campaign::Nginx->new('proxy', port => $front, text => <<"END");
worker_processes 2;
error_log logs/error.log info;
pid logs/nginx.pid;
events { worker_connections 512; }

http {
    campaign_store store size=1g;
    client_max_body_size 8m;

    log_format calls '\$remote_addr|\$campaign_account|\$request_method|\$uri|\$status|\$server_protocol';
    log_format messages '\$campaign_message_id|\$campaign_account|\$campaign_channel|\$campaign_from|\$campaign_to|\$campaign_text|\$campaign_attempt|\$status';

    limit_req_zone \$campaign_account zone=account:1m rate=1r/m;

    proxy_http_version 1.1;

    # the API, behind the others
    server {
        listen 127.0.0.1:$port;
        set_real_ip_from 127.0.0.1;
        real_ip_header X-Forwarded-For;
        access_log logs/calls.log calls;

        location /v1/ { campaign_api; }
        location /sms/v1/ { campaign_api; }

        location /limited/v1/ {
            campaign_api;
            limit_req zone=account burst=1 nodelay;
            limit_req_status 429;
        }

        location /guarded/v1/ {
            auth_request /auth;
            campaign_api;
        }
        location = /auth {
            internal;
            proxy_pass http://127.0.0.1:$auth\$request_uri;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
        }

        location /admin/ {
            campaign_admin;
            allow 192.0.2.1;
            deny all;
        }

        campaign_gateway SMS /_gateway/sms;

        location /_gateway/sms {
            internal;
            log_subrequest on;
            access_log logs/messages.log messages;
            proxy_pass http://$to/sms;
            proxy_method POST;
            proxy_pass_request_headers off;
            proxy_set_body \$campaign_body;
        }
    }

    # another server block with a gateway of its own
    server {
        listen 127.0.0.1:$second;
        location /v1/ { campaign_api; }

        campaign_gateway VIBER /_gateway/viber;

        location /_gateway/viber {
            internal;
            proxy_pass http://$to/viber;
            proxy_method POST;
            proxy_pass_request_headers off;
            proxy_set_body \$campaign_body;
        }
    }

    # who may come in
    server {
        listen 127.0.0.1:$auth;
        location / { return 204; }
        location /guarded/v1/senders { return 403; }
        location /guarded/v1/templates { return 401; }
    }

    # TLS and HTTP/2, in front of it
    server {
        listen 127.0.0.1:$front ssl;
        http2 on;
        ssl_certificate $root.crt;
        ssl_certificate_key $root.key;

        location / {
            proxy_pass http://127.0.0.1:$port;
            proxy_set_header Host \$host;
            proxy_set_header X-Forwarded-For \$proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto \$scheme;
            proxy_request_buffering off;
        }

        # HTTP/2 up to the API itself
        location /direct/v1/ { campaign_api; }
    }
}
END

system("openssl req -x509 -newkey rsa:2048 -nodes -keyout $root.key -out $root.crt -subj /CN=localhost -days 2 >/dev/null 2>&1") == 0 or die 'openssl';
my ($fine, $said) = $server->tested;
ok($fine, 'nginx -t') or diag $said;
$server->start;

# what curl is answered over TLS: status, protocol, body
sub curl {
    my ($path, @options) = @_;
    open my $in, '-|', 'curl', '-sk', '--max-time', 20, '-w', '\n%{http_code} %{http_version}', @options, "https://127.0.0.1:$front$path" or die "curl: $!";
    my $all = do { local $/; <$in> };
    close $in;
    my ($body, $status, $version) = $all =~ /\A(.*)\n(\d+) (\S+)\z/s or die "curl: $all";
    return wantarray ? ($status, $version, $body) : $body;
}

sub json_of { JSON::PP->new->utf8->decode($_[0]) }
sub lines { open my $in, '<', $server->root . "/logs/$_[0].log" or return; return map { chomp; $_ } <$in> }
sub envelope { my $e = eval { json_of($_[0])->{errors} } or return 'none'; join ' ', map { "$_->{status} $_->{code}" } @$e }

my @json = ('-H', 'Content-Type: application/json');
my ($status, $version, $body);

subtest 'behind another nginx: real_ip says who comes' => sub {
    ($status, $version, $body) = curl('/admin/accounts', @json, '-d', '{"data":{"name":"x","rate":1000}}');
    is("$status " . envelope($body), '403 403 1017', 'the administration is not for the address that the proxy has seen');
    my $http = HTTP::Tiny->new;
    my $r = $http->post("http://127.0.0.1:$port/admin/accounts", { headers => { 'X-Forwarded-For' => '192.0.2.1', 'Content-Type' => 'application/json' }, content => '{"data":{"name":"x","rate":1000}}' });
    is($r->{status}, 201, 'but for that of its operator');
    my $account = json_of($r->{content})->{data};
    $main::key = $account->{api_key};
    $main::id = $account->{id};
    curl('/v1/senders?limit=1', '-H', "X-Dexatel-Key: $main::key", '-H', 'X-Forwarded-For: 198.51.100.7');
    wait_for { grep { m{/v1/senders} } lines('calls') };
    is((grep { m{/v1/senders} } lines('calls'))[-1], "127.0.0.1|$main::id|GET|/v1/senders|200|HTTP/1.1", 'the log has the address and the account');
};

my @key = ('-H', "X-Dexatel-Key: $main::key");

for my $way (['HTTP/2 to a proxy', '/v1', '--http2', 2], ['HTTP/2 to the API', '/direct/v1', '--http2', 2], ['HTTP/1.1 over TLS', '/direct/v1', '--http1.1', '1.1']) {
    my ($title, $prefix, $option, $wanted) = @$way;
    my $name = $title =~ s/\W+/-/gr;

    subtest $title => sub {
        my @all = ($option, @key);
        ($status, $version, $body) = curl("$prefix/senders", @all, @json, '-d', qq({"data":{"name":"S@{[ substr $name, -8 ]}","channel":"SMS"}}));
        is("$status $version", "201 $wanted", 'a POST') or diag $body;
        is(json_of($body)->{data}{links}{self}, "$prefix/senders/" . json_of($body)->{data}{id}, 'links have the path that was asked for');
        ($status) = curl(json_of($body)->{data}{links}{self}, @all);
        is($status, 200, 'and lead back');
        my $list = json_of(scalar curl("$prefix/audiences", @all, @json, '-d', qq({"data":{"name":"$name","channel":"SMS"}})))->{data};
        open my $out, '>', "$root.csv" or die;
        print $out "number,first_name\n", map { 15550000000 + $_ . ",Ann\n" } 1 .. 20_000;
        close $out;
        ($status, $version, $body) = curl("$prefix/audiences/$list->{id}/contacts", @all, '-H', 'Content-Type: text/csv', '--data-binary', "\@$root.csv");
        is("$status " . (json_of($body)->{data}{created} // $body), '201 20000', 'an upload of 20 000 lines, as it streams in');
        my $csv = curl("$prefix/audiences/$list->{id}/contacts", @all, '-H', 'Accept: text/csv');
        is(scalar(() = $csv =~ /\r\n/g), 20_001, 'an export, as it streams out');
        my $page = json_of(scalar curl("$prefix/audiences/$list->{id}/contacts?page_size=5", @all));
        like($page->{pagination}{links}{next}, qr{^\Q$prefix\E/audiences/$list->{id}/contacts\?page_size=5&page_token=}, 'links of a page');
        is(json_of(scalar curl($page->{pagination}{links}{next}, @all))->{data}[0]{number}, '15550000006', 'lead to the next');
        ($status, $version, $body) = curl("$prefix/senders/x", @all);
        is("$status " . envelope($body), '400 400 1152', 'an error');
        ($status, $version, $body) = curl("$prefix/senders", @all, '-X', 'PUT');
        is("$status " . envelope($body), '405 405 1013', 'another method');
        ($status, $version, $body) = curl("$prefix/senders", $option);
        is("$status " . envelope($body), '401 401 1001', 'no key');
        ($status, $version, $body) = curl("$prefix/senders", @all, '-I');
        is("$status $version", "200 $wanted", 'HEAD');
        my @again = map { scalar curl("$prefix/templates", @all, @json, '-H', "Idempotency-Key: $name", '-d', '{"data":{"text":"Hi","channel":"SMS"}}') } 1, 2;
        is($again[1], $again[0], 'an idempotency key');
    };
}

subtest 'another prefix' => sub {
    my $c = Campaign::Client->new('/sms/v1', $main::key, $main::id);
    my $s = $c->sender(name => 'Prefix');
    is($s->{links}{self}, "/sms/v1/senders/$s->{id}", 'links follow it');
    is($c->get('/senders?page_size=1')->page->{links}{next} =~ m{\A/sms/v1/senders\?page_size=1&page_token=} ? 1 : 0, 1, 'those of lists, too');
    is($c->get($c->get('/senders?page_size=1')->page->{links}{next})->status, 200, 'and lead on');
    refused($c->get('/senders/x'), 400, 1152, 'the path in an error is its own');
    is($c->get("/senders/$s->{id}")->data->{id}, Campaign::Client->new('/v1', $main::key)->get("/senders/$s->{id}")->data->{id}, 'the objects are the same');
};

subtest 'auth_request' => sub {
    my $c = Campaign::Client->new('/guarded/v1', $main::key, $main::id);
    answered($c->get('/audiences'), 200, 'whom it lets in');
    refused($c->get('/senders'), 403, 1017, '403 of it has our form');
    refused($c->get('/templates'), 401, 1018, '401, too');
    refused(Campaign::Client->new('/guarded/v1', 'x')->get('/audiences'), 401, 1002, 'and the key is asked for all the same');
};

subtest 'limit_req by $campaign_account, behind a proxy' => sub {
    my ($two) = map { json_of(HTTP::Tiny->new->post("http://127.0.0.1:$port/admin/accounts", { headers => { 'X-Forwarded-For' => '192.0.2.1', 'Content-Type' => 'application/json' }, content => '{"data":{"name":"two","rate":1}}' })->{content})->{data}{api_key} } 1;
    my @said = map { my $k = $_; map { (curl('/limited/v1/senders', '-H', "X-Dexatel-Key: $k"))[0] } 1 .. 3 } $main::key, $two;
    is("@said", '200 200 429 200 200 429', 'each account has a limit of its own, though all come from one address');
};

subtest 'two server blocks with gateways of their own, one store' => sub {
    my @c = map { Campaign::Client->new('/v1', $main::key, $main::id) } 1, 2;
    $c[0]->sender(name => 'Both', channel => $_) for 'SMS', 'VIBER';
    my %sent;
    for my $channel ('SMS', 'VIBER') {
        my $id = $c[0]->make('/messages', { from => 'Both', channel => $channel, text => "of $channel\nline", to => ['15551234567'] })->[0]{id};
        $sent{$channel} = $id;
        wait_for { $c[0]->get("/messages/$id")->data->{status} eq 'sent' };
        is($c[0]->get("/messages/$id")->data->{status}, 'sent', "$channel, asked for at the first");
    }
    is(join(' ', sort map { $_->{path} } $gateway->requests), '/sms /viber', 'each went through the gateway of its block');
    my $r = HTTP::Tiny->new->get("http://127.0.0.1:$second/v1/messages/$sent{SMS}", { headers => { 'X-Dexatel-Key' => $main::key } });
    is(json_of($r->{content})->{data}{status}, 'sent', 'the second block serves the same store');
    wait_for { lines('messages') };
    is_deeply([lines('messages')], ["$sent{SMS}|$main::id|SMS|Both|15551234567|of SMS line|1|200"], "access_log of a gateway's location has the message's variables");
};

$server->stop;
is($server->alerts, '', 'the error log is clean');
$gateway->stop;
done_testing();
