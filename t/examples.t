# conf/examples: each file as it is shipped, but for addresses, ports and paths of certificates, passes nginx -t, and a message goes through it: the
# gateway gets what it should, its own id is kept, its receipt is believed, and a STOP that comes back is on the list.

use v5.10.1;
use strict;
use warnings;
use utf8;

use lib 't/lib';
use Campaign;
use Campaign::Gateway;
use Campaign::Nginx;
use Digest::SHA qw(hmac_sha1_base64 hmac_sha256_base64);
use Encode ();
use File::Path qw(make_path remove_tree);
use HTTP::Tiny;
use Test::More;

binmode $_, ':utf8' for Test::More->builder->output, Test::More->builder->failure_output;

my $port = $ENV{TEST_NGINX_SERVER_PORT};
my $tls_port = $port + 1;
my $http = HTTP::Tiny->new(timeout => 10);
my $text = "Crêpes & <b>\"50%\"</b>\nат 5 €\x{1f600}";
my $plain = 'Hello';

my $dir = "$ENV{TEST_NGINX_SERVROOT}-examples";
remove_tree($dir);
make_path($dir);

# a certificate authority, and certificates of its own for a gateway's name and for us
sub certificates {
    my @names = @_;
    my $run = sub { system("openssl @_ >/dev/null 2>&1") == 0 or die "openssl @_\n" };

    $run->("req -x509 -newkey rsa:2048 -nodes -keyout $dir/ca.key -out $dir/ca.crt -subj /CN=ca -days 2");
    for my $name (@names, 'client') {
        open my $out, '>', "$dir/$name.ext" or die;
        print $out "subjectAltName=DNS:$name\n";
        close $out;
        $run->("req -newkey rsa:2048 -nodes -keyout $dir/$name.key -out $dir/$name.csr -subj /CN=$name");
        $run->("x509 -req -in $dir/$name.csr -CA $dir/ca.crt -CAkey $dir/ca.key -CAcreateserial -out $dir/$name.crt -days 2 -extfile $dir/$name.ext");
    }
}

my @tls = qw(api.twilio.com api.dexatel.com sms.example.com);
certificates(@tls);

my $n = 0;

sub gateway_of { Campaign::Gateway->new(file => "$dir/gateway." . ++$n, script => $_[0]) }

# TLS in front of a gateway, for these names; who comes without a certificate of ours is refused if verify is set
sub tls_front {
    my ($gateway, $name, $verify) = @_;
    my $more = $verify ? "ssl_verify_client on; ssl_client_certificate $dir/ca.crt;" : '';
    return Campaign::Nginx->new('tls', port => $tls_port, text => <<"END")->start;
error_log logs/error.log info; pid logs/nginx.pid; events { }
http {
    access_log off;
    server {
        listen 127.0.0.1:$tls_port ssl;
        server_name $name;
        ssl_certificate $dir/$name.crt; ssl_certificate_key $dir/$name.key; $more
        location / {
            proxy_pass http://127.0.0.1:@{[ $gateway->port ]};
            proxy_set_header Host \$host;
            proxy_set_header X-Client \$ssl_client_s_dn;
            proxy_set_header X-SNI \$ssl_server_name;
        }
    }
}
END
}

# the example in a server of its own, an account with a sender in it
sub example {
    my ($name, %change) = @_;
    my $server = Campaign::Nginx->new($name, file => "conf/examples/$name.conf", change => { '127.0.0.1:8080' => "127.0.0.1:$port", %change }, port => $port);
    my ($fine, $said) = $server->tested;
    ok($fine, "$name.conf: nginx -t") or diag $said;
    $server->start;
    my $account = account();
    $account->sender(name => '4915100000');
    return ($server, $account);
}

# a message, as it is when it has left
sub sent {
    my ($account, %fields) = @_;
    my $id = $account->make('/messages', { from => '4915100000', channel => 'SMS', to => ['15551234567'], text => $text, %fields })->[0]{id};
    return message($account, $id, sub { $_[0]{status} !~ /scheduled|enroute/ });
}

sub message {
    my ($account, $id, $until) = @_;
    my $m;
    wait_for { $m = $account->get("/messages/$id")->data; $until->($m) };
    return $m;
}

sub delivered {
    my ($account, $m, $title) = @_;
    $m = message($account, $m->{id}, sub { $_[0]{status} =~ /delivered|failed/ });
    is($m->{status}, 'delivered', "$title: delivered by a receipt") or diag explain $m;
}

sub ask {
    my ($method, $path, %options) = @_;
    my $r = $http->request($method, "http://127.0.0.1:$port$path", { headers => $options{headers} // {}, defined $options{body} ? (content => $options{body}) : () });
    return $r;
}

sub form { ask(POST => $_[0], headers => { 'Content-Type' => 'application/x-www-form-urlencoded' }, body => $_[1]) }
sub by_twilio {
    my ($path, %field) = @_;
    my $signature = hmac_sha1_base64(join('', "https://campaign.example.com$path", map { $_ . $field{$_} } sort keys %field), 'auth-token');
    return ask(POST => $path, headers => { 'Content-Type' => 'application/x-www-form-urlencoded', 'X-Twilio-Signature' => "$signature=" },
               body => $http->www_form_urlencode(\%field));
}
sub signed { ask(POST => $_[0], headers => { 'Content-Type' => 'application/json', 'X-Dexatel-Signature' => hmac_sha256_base64($_[1], 'change-me') . '=' }, body => $_[1]) }
sub query { my %q = map { my ($k, $v) = split /=/, $_, 2; utf8::decode($v = $v =~ s/\+/ /gr =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ger); ($k => $v) } split /&/, $_[0]; \%q }
sub decoded { my $s = shift; JSON::PP->new->utf8->decode($s) }

sub stopped {
    my ($account, $r, $reply, $title) = @_;
    is(join(' ', $r->{status}, $r->{content}), $reply, "$title: STOP is answered");
    is($account->get('/suppressions/15551234567')->data->{source}, 'stop', "$title: and on the list");
}

sub ended {
    my ($server, $name, @more) = @_;
    $server->stop;
    is($server->alerts, '', "$name: the error log is clean");
    $_->stop for @more;
}


subtest 'kannel' => sub {
    my $gateway = gateway_of(sub { { status => 202, body => '0: Accepted for delivery' } });
    my ($server, $a) = example('kannel', '127.0.0.1:13013' => '127.0.0.1:' . $gateway->port, '127.0.0.1%3A8080' => "127.0.0.1%3A$port");
    my $m = sent($a);
    is($m->{status}, 'sent', 'taken');
    my ($r) = $gateway->requests;
    my $q = query($r->{args});
    is("$r->{method} $r->{path}", 'GET /cgi-bin/sendsms', 'request');
    is(join(' ', @$q{qw(from to coding dlr-mask charset)}), '4915100000 15551234567 2 31 UTF-8', 'fields');
    is($q->{text}, $text, 'text');
    my $dlr = $q->{'dlr-url'} =~ s/%d/8/r =~ s{^http://127.0.0.1:$port}{}r;
    is(ask(GET => $dlr)->{status}, 200, 'at the SMSC');
    is($a->get("/messages/$m->{id}")->data->{status}, 'sent', 'is sent');
    is(ask(GET => $dlr =~ s/secret=change-me/secret=x/r)->{status}, 403, 'another secret');
    is(ask(GET => $dlr =~ s/status=8/status=1/r)->{status}, 200, 'at the phone');
    delivered($a, $m, 'kannel');
    stopped($a, ask(GET => '/kannel/inbound?secret=change-me&from=%2B15551234567&to=4915100000&text=Stop%21'), '200 ', 'kannel');
    ended($server, 'kannel', $gateway);
};

subtest 'jasmin' => sub {
    my $gateway = gateway_of(sub { { status => 200, body => 'Success "07033084-5cfd-4812-90a4-e4d24ffb6e3d"' } });
    my ($server, $a) = example('jasmin', '127.0.0.1:1401' => '127.0.0.1:' . $gateway->port, '127.0.0.1%3A8080' => "127.0.0.1%3A$port");
    my $m = sent($a);
    is("$m->{status} $m->{gateway_id}", 'sent 07033084-5cfd-4812-90a4-e4d24ffb6e3d', 'its id is kept');
    my ($r) = $gateway->requests;
    my $q = query($r->{body});
    is("$r->{method} $r->{path}", 'POST /send', 'request');
    is(join(' ', @$q{qw(from to coding dlr dlr-level dlr-method)}), '4915100000 15551234567 8 yes 3 POST', 'fields');
    is($q->{'hex-content'}, uc unpack('H*', Encode::encode('UTF-16BE', $text)), 'text of UCS-2 in hexadecimal');
    like($q->{'dlr-url'}, qr{^http://127.0.0.1:$port/jasmin/receipts\?secret=change-me\z}, 'dlr-url');
    my $second = sent($a, text => $plain);
    is(join(' ', @{ query(($gateway->requests)[1]{body}) }{qw(coding content)}), '0 Hello', 'a text of GSM-7');
    my $dlr = form('/jasmin/receipts?secret=change-me', "id=$m->{gateway_id}&level=1&message_status=ESME_ROK");
    is("$dlr->{status} $dlr->{content}", '200 ACK/Jasmin', 'level 1');
    form('/jasmin/receipts?secret=change-me', "id=$m->{gateway_id}&level=2&message_status=DELIVRD");
    delivered($a, $second, 'jasmin');           # the simulated id is that of the newest message
    stopped($a, form('/jasmin/inbound?secret=change-me', 'from=15551234567&to=4915100000&content=STOP&id=x'), '200 ACK/Jasmin', 'jasmin');
    ended($server, 'jasmin', $gateway);
};

subtest 'twilio' => sub {
    my $gateway = gateway_of(sub { { status => 201, body => '{"sid":"SM0123456789abcdef0123456789abcdef","status":"queued"}', headers => ['Content-Type: application/json'] } });
    my $front = tls_front($gateway, 'api.twilio.com');
    my ($server, $a) = example('twilio', 'api.twilio.com:443' => "127.0.0.1:$tls_port", '/etc/ssl/certs/ca-certificates.crt' => "$dir/ca.crt");
    my $m = sent($a);
    is("$m->{status} $m->{gateway_id}", 'sent SM0123456789abcdef0123456789abcdef', 'its id is kept');
    my ($r) = $gateway->requests;
    my $q = query($r->{body});
    is("$r->{method} $r->{path}", 'POST /2010-04-01/Accounts/AC00000000000000000000000000000000/Messages.json', 'request');
    is(join(' ', @$q{qw(From To)}), '4915100000 +15551234567', 'fields');
    is($q->{Body}, $text, 'text');
    is("$r->{header}{authorization} $r->{header}{'x-sni'}", 'Basic QUM6dG9rZW4= api.twilio.com', 'who asks whom');
    is(form('/twilio/receipts', "MessageSid=$m->{gateway_id}&MessageStatus=sent")->{status}, 403, 'what Twilio has not signed is refused');
    is(by_twilio('/twilio/receipts', MessageSid => $m->{gateway_id}, MessageStatus => 'sent', SmsStatus => 'sent')->{status}, 200, 'sent');
    by_twilio('/twilio/receipts', MessageSid => $m->{gateway_id}, MessageStatus => 'delivered');
    delivered($a, $m, 'twilio');
    stopped($a, by_twilio('/twilio/inbound', From => '+15551234567', To => '+4915100000', Body => 'STOP', MessageSid => 'SM1'), '200 ', 'twilio');
    ended($server, 'twilio', $front, $gateway);
};

subtest 'dexatel' => sub {
    my $gateway = gateway_of(sub { { status => 201, body => '{"data":[{"id":"d-1","status":"enroute"}]}', headers => ['Content-Type: application/json'] } });
    my $front = tls_front($gateway, 'api.dexatel.com');
    my ($server, $a) = example('dexatel', 'api.dexatel.com:443' => "127.0.0.1:$tls_port", '/etc/ssl/certs/ca-certificates.crt' => "$dir/ca.crt");
    my $m = sent($a);
    is("$m->{status} $m->{gateway_id}", 'sent d-1', 'its id is kept');
    my ($r) = $gateway->requests;
    my $d = decoded($r->{body})->{data};
    is("$r->{method} $r->{path} $r->{header}{'x-dexatel-key'} $r->{header}{'idempotency-key'}", "POST /v1/messages change-me $m->{id}", 'request');
    is_deeply($d, { from => '4915100000', to => ['15551234567'], text => $text, channel => 'SMS', id => $m->{id} }, 'body');
    my $body = '{"data":{"account_id":"x","message_id":"d-1","event":"delivery","status":"DELIVERED","channel":"SMS","to":"15551234567"}}';
    is(ask(POST => '/dexatel/receipts', body => $body)->{status}, 403, 'not signed');
    is(signed('/dexatel/receipts', $body)->{status}, 200, 'signed');
    delivered($a, $m, 'dexatel');
    stopped($a, signed('/dexatel/inbound', '{"data":{"event":"message","from":"15551234567","to":"4915100000","text":"arr\u00eat"}}'), '200 {"data":{}}', 'dexatel');
    ended($server, 'dexatel', $front, $gateway);
};

subtest 'campaign' => sub {
    my $gateway = gateway_of(sub { { status => 200, body => '{"data":[{"id":"last"}]}' } });
    my $other = $port + 5;
    my $second = Campaign::Nginx->new('second', port => $other, text => <<"END")->start;
error_log logs/error.log info; pid logs/nginx.pid; events { }
http {
    access_log off;
    campaign_store store size=1g;
    server {
        listen 127.0.0.1:$other;
        location /v1/ { campaign_api; }
        location /admin/ { campaign_admin; }
        campaign_gateway SMS /_gateway/sms;
        location = /receipts { campaign_receipts by=id id=id status=status delivered=ok; }
        campaign_webhook /_webhook allow=127.0.0.0/8;
        proxy_method POST;
        proxy_pass_request_headers off;
        proxy_set_body \$campaign_body;
        location /_gateway/sms { internal; proxy_pass http://127.0.0.1:@{[ $gateway->port ]}; }
        location /_webhook {
            internal;
            proxy_pass \$campaign_webhook_url;
            proxy_set_header Host \$campaign_webhook_host;
            proxy_set_header Content-Type application/json;
            proxy_set_header X-Dexatel-Signature \$campaign_webhook_signature;
        }
    }
}
END
    my $there = sub {
        my ($method, $path, $data, $key) = @_;
        my $r = $http->request($method, "http://127.0.0.1:$other$path", { headers => { 'Content-Type' => 'application/json', $key ? ('X-Dexatel-Key' => $key) : () }, $data ? (content => json({ data => $data })) : () });
        return decoded($r->{content})->{data};
    };
    my $key = $there->(POST => '/admin/accounts', { name => 'first', rate => 1000 })->{api_key};
    $there->(POST => '/v1/senders', { name => '4915100000', channel => 'SMS' }, $key);
    my ($server, $a) = example('campaign', '127.0.0.1:8090' => "127.0.0.1:$other", "X-Dexatel-Key    change-me" => "X-Dexatel-Key    $key");
    my $hook = $there->(POST => '/v1/webhooks', { url => "http://127.0.0.1:$port/receipts", event => 'delivery', secret => 'change-me' }, $key);
    my $m = sent($a);
    is($m->{status}, 'sent', 'taken');
    my $theirs = $there->(GET => "/v1/messages/$m->{gateway_id}", undef, $key);
    is($theirs->{text}, $text, 'our gateway_id is its message');
    wait_for { $gateway->requests };
    is(decoded(($gateway->requests)[0]{body})->{data}{id}, $m->{gateway_id}, 'which went on under its own id');
    my $body = json({ data => { message_id => $m->{gateway_id}, event => 'delivery', status => 'DELIVERED', channel => 'SMS', to => '15551234567' } });
    is(ask(POST => '/receipts', body => $body)->{status}, 403, 'not signed');
    is($a->get("/messages/$m->{id}")->data->{status}, 'sent', 'and not believed');
    is($http->get("http://127.0.0.1:$other/receipts?id=$m->{gateway_id}&status=ok")->{status}, 200, 'the last gateway has a receipt for the other one');
    delivered($a, $m, 'campaign, whose webhook told us');
    my $at = "/v1/webhooks/$hook->{id}";
    wait_for { $there->(GET => $at, undef, $key)->{waiting} == 0 };
    $hook = $there->(GET => $at, undef, $key);
    is(join(' ', @$hook{qw(waiting failed last_result last_code)}), '0 0 delivered 200', 'and was answered');
    ended($server, 'campaign', $second, $gateway);
    is($second->alerts, '', 'the other error log is clean');
};

subtest 'get' => sub {
    my $gateway = gateway_of(sub { { status => 200, body => "OK g-17\r\n" } });
    my ($server, $a) = example('get', '127.0.0.1:9000' => '127.0.0.1:' . $gateway->port);
    my $m = sent($a);
    is("$m->{status} $m->{gateway_id}", 'sent g-17', 'its id is kept');
    my ($r) = $gateway->requests;
    my $q = query($r->{args});
    is("$r->{method} $r->{path}", 'GET /send', 'request');
    is(join(' ', @$q{qw(user from to ref)}), "campaign 4915100000 15551234567 $m->{id}", 'fields');
    is($q->{text}, $text, 'text');
    is(ask(GET => "/receipts?secret=change-me&id=g-17&status=DELIVRD")->{status}, 200, 'receipt');
    delivered($a, $m, 'get');
    ended($server, 'get', $gateway);
};

subtest 'soap' => sub {
    my $answer = '<?xml version="1.0"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><sendSmsResponse><messageId>s-9</messageId></sendSmsResponse></soap:Body></soap:Envelope>';
    my $gateway = gateway_of(sub { { status => 200, body => $answer, headers => ['Content-Type: text/xml'] } });
    my ($server, $a) = example('soap', '127.0.0.1:9000' => '127.0.0.1:' . $gateway->port);
    my $m = sent($a);
    is("$m->{status} $m->{gateway_id}", 'sent s-9', 'its id is kept');
    my ($r) = $gateway->requests;
    is("$r->{method} $r->{path} $r->{header}{soapaction}", 'POST /SmsService "urn:sendSms"', 'request');
    my ($sent) = $r->{body} =~ m{<text>(.*?)</text>}s;
    like($sent, qr/\A[^<>"]*\z/, 'no text ends its element');
    my %entity = (amp => '&', lt => '<', gt => '>', quot => '"', '#39' => "'", '#10' => "\n");
    utf8::decode($sent = $sent =~ s/&(#?\w+);/$entity{$1}/gr);
    is($sent, $text, 'text');
    like($r->{body}, qr{\A<\?xml .*<recipient>15551234567</recipient>.*<reference>$m->{id}</reference>.*</soap:Envelope>\z}s, 'envelope');
    ended($server, 'soap', $gateway);
};

subtest 'mtls' => sub {
    my $gateway = gateway_of(sub { { status => 200, body => '{"data":[{"id":"m-1"}]}' } });
    my $front = tls_front($gateway, 'sms.example.com', 1);
    my %change = ('sms.example.com:443' => "127.0.0.1:$tls_port", map { ("/etc/nginx/gateway/$_" => "$dir/$_") } qw(client.crt client.key ca.crt));
    my ($server, $a) = example('mtls', %change);
    my $m = sent($a);
    is("$m->{status} $m->{gateway_id}", 'sent m-1', 'a message');
    my ($r) = $gateway->requests;
    is("$r->{header}{'x-client'} $r->{header}{'x-sni'} $r->{header}{host}", 'CN=client sms.example.com sms.example.com', 'our certificate, its name');
    ended($server, 'mtls');
    # a gateway whose certificate is another's gets nothing
    $front->stop;
    $front = tls_front($gateway, 'api.twilio.com', 1);
    ($server, $a) = example('mtls', %change);
    my $id = $a->make('/messages', { from => '4915100000', channel => 'SMS', to => ['15551234567'], text => 'x' })->[0]{id};
    my $again = message($a, $id, sub { $_[0]{attempts} >= 1 && $_[0]{status} eq 'scheduled' || $_[0]{status} eq 'failed' });
    is($again->{reason}, 'gateway_unreachable', 'another name in the certificate');
    is(scalar $gateway->requests, 1, 'it got nothing');
    ended($server, 'mtls with another certificate', $front, $gateway);
};

subtest 'failover' => sub {
    my @gateways = map { my $name = $_; gateway_of(sub { { status => 200, body => "{\"data\":[{\"id\":\"$name\"}]}" } }) } qw(a b c);
    my ($server, $a) = example('failover', map { ('127.0.0.1:900' . ($_ + 1) => '127.0.0.1:' . $gateways[$_]->port) } 0 .. 2);
    my @m = map { sent($a, text => "$_") } 1 .. 8;
    my %by;
    $by{ $_->{gateway_id} }++ for @m;
    is(join(' ', map { "$_ $by{$_}" } sort keys %by), 'a 6 b 2', 'by weight');
    $gateways[0]->stop;
    is(sent($a)->{gateway_id}, 'b', 'one is down: the other one') for 1 .. 4;
    $gateways[1]->stop;
    is(sent($a)->{gateway_id}, 'c', 'both are: the third');
    is(scalar(() = $gateways[2]->requests), 1, 'once');
    ended($server, 'failover', $gateways[2]);
};

done_testing();
