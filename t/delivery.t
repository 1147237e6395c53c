# What a gateway gets, and what its answers mean.

use lib 't/lib';
use Campaign;
use Campaign::Sending;
use IO::Compress::Gzip qw(gzip);
use POSIX qw(strftime);
use Test::Nginx::Socket 'no_plan';

gzip(\'{"data":[{"id":"gw"}]}', \my $zipped) or die;

# /s<status> and /f<status> answer so; /z<status> with a body that is compressed; /broken with one that only says so; other channels have a line here
gateway(sub {
    my $r = shift;

    return $1 if $r->{path} =~ m{\A/[sf](\d+)\z};
    return { status => $1, headers => ['Content-Encoding: gzip', 'Vary: Accept-Encoding'], body => $zipped } if $r->{path} =~ m{\A/z(\d+)\z};
    return { headers => ['Content-Encoding: gzip'], body => substr($zipped, 0, 12) . 'x' x 40 } if $r->{path} eq '/broken';
    return 403 if $r->{path} eq '/deny';
    return $r->{try} == 1 ? 500 : 200 if $r->{path} eq '/recover';
    return $r->{try} == 1 ? { until => 'never' } : 200 if $r->{path} =~ m{\A/silent};
    return { until => 'never' } if $r->{path} eq '/mute';
    return $r->{try} == 1 ? { drop => 1 } : 200 if $r->{path} =~ m{\A/drop};
    return $r->{try} == 1 ? { drop => 'reset' } : 200 if $r->{path} =~ m{\A/reset};
    return $r->{try} == 1 ? { raw => "HTTP/1.1 200 OK\r\nContent-Le" } : 200 if $r->{path} eq '/partial';
    return $r->{try} == 1 ? { raw => 'hello' } : 200 if $r->{path} eq '/http09';
    return $r->{try} == 1 ? { raw => "HTTP/1.1 102 Processing\r\n\r\n" } : 200 if $r->{path} eq '/interim';
    return { raw => "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort" } if $r->{path} eq '/short';
    return { body => 'x' x 1_000_000 } if $r->{path} eq '/long';
    return { headers => ['X-Accel-Redirect: /_secret', 'X-Accel-Limit-Rate: 1', 'X-Accel-Buffering: yes'] } if $r->{path} eq '/accel';
    return { status => 302, headers => ['Location: /_secret'] } if $r->{path} eq '/moved';
    return $r->{try} == 1 && !$r->{told}{rested} ? { status => 503, headers => ['Retry-After: 1'] } : 200 if $r->{path} eq '/rest';
    return $r->{try} == 1 ? { status => 503, headers => ['Retry-After: ' . date($1, int($r->{time}) + 2)] } : 200 if $r->{path} =~ m{\A/date_(\w+)\z};
    return 200;
});

# an HTTP date in each of its three forms; or the first of them, of a time that has passed
sub date {
    my ($form, $time) = @_;
    my %form = (imf => '%a, %d %b %Y %H:%M:%S GMT', rfc850 => '%A, %d-%b-%y %H:%M:%S GMT', asctime => '%a %b %e %H:%M:%S %Y');
    return strftime($form{$form} // $form{imf}, gmtime($form eq 'past' ? $time - 100 : $time));
}

my @names = qw(id account channel message_id from to text attempt segments encoding body);
my $headers = join '', map { my $n = $_; map { "proxy_set_header X-\U$_\E-$n \$campaign_" . ($_ eq 'plain' ? '' : "${_}_") . "$n;\n" }
                             qw(plain json uri) } @names;

my $filters = "sub_filter gw other;\nsub_filter_once off;\nsub_filter_types *;\n";

$Campaign::HttpConfig .= <<"END";
campaign_retry attempts=3 min=20ms max=60ms;

limit_req_zone \$campaign_channel zone=slow:1m rate=20r/s;
limit_req_zone \$campaign_channel zone=strict:1m rate=1r/m;
proxy_cache_path @{[ store_dir() =~ s/-store\z/-cache/r ]} keys_zone=cache:1m;

upstream half { server 127.0.0.1:@{[ $ENV{TEST_NGINX_SERVER_PORT} + 4 ]}; server 127.0.0.1:@{[ gateway()->port ]}; }

server {
    listen 127.0.0.1:@{[ $ENV{TEST_NGINX_SERVER_PORT} + 3 ]};
    campaign_redelivery off;
    @{[ join '', map { channel($_, '', 'proxy_read_timeout 100ms;') } qw(SILENT_OFF DROP_OFF RESET_OFF) ]}
}
END

$Campaign::Config .= join '',
    channel('VARS', 'receipts=off', headers() . $headers . <<'END'),
proxy_pass http://told/vars?to=$campaign_uri_to&text=$campaign_uri_text&id=$campaign_uri_message_id;
END
    channel('MADE', 'receipts=off', <<'END'),
proxy_set_body '{"message":"$campaign_json_text","who":"$campaign_json_from","whole":"$campaign_json_body"}';
END
    (map { channel("S$_", '') } qw(200 201 202 204 304 400 404 408 409 413 425 429 500 501 502 503 504)),
    channel('NORECEIPT', 'receipts=off'),
    channel('DENY', ''),
    channel('RECOVER', ''),
    channel('REFUSED', '', "proxy_pass http://127.0.0.1:@{[ $ENV{TEST_NGINX_SERVER_PORT} + 4 ]}/refused;\n"),
    channel('HALF', '', "proxy_pass http://half/half;\n"),
    (map { channel($_, '', "proxy_read_timeout 100ms;\n") } qw(SILENT MUTE DROP RESET PARTIAL HTTP09 INTERIM)),
    channel('LONG', ''), channel('SHORT', ''),
    channel('ACCEL', '', '', "location /_secret { internal; proxy_pass http://told/secret; }\n"),
    channel('MOVED', ''),
    channel('REST', 'concurrency=1'),
    (map { channel("DATE_$_", '') } qw(IMF RFC850 ASCTIME PAST)),
    channel('RETURN200', 'receipts=off', 'return 200;'), channel('RETURN204', 'receipts=off', 'return 204;'),
    channel('RETURN404', '', 'return 404;'), channel('RETURN503', '', 'return 503;'), channel('RETURN444', '', 'return 444;'),
    channel('FALLBACK', '', "proxy_pass http://told/s500;\nproxy_intercept_errors on;\nerror_page 500 = /_fallback;\n", <<'END'),
location /_fallback { internal; proxy_pass http://told/fallback; }
END
    channel('TURNED', '', "proxy_pass http://told/s404;\nproxy_intercept_errors on;\nerror_page 404 =200 \@fine;\n", 'location @fine { return 200; }'),
    channel('PAGE', '', "proxy_pass http://told/s500;\nproxy_intercept_errors on;\nerror_page 500 /_page;\n", <<'END'),
location /_page { internal; return 200 'sorry'; }
END
    channel('UNREACHED', '', "proxy_pass http://127.0.0.1:@{[ $ENV{TEST_NGINX_SERVER_PORT} + 4 ]}/;\nerror_page 502 = \@unreached;\n", <<'END'),
location @unreached { proxy_pass http://told; }
END
    channel('REWRITTEN', '', "rewrite ^ /_rewritten last;\n", <<'END'),
location /_rewritten { internal; proxy_pass http://told/rewritten; }
END
    channel('CIRCLE', '', "rewrite ^ /_gateway/circle last;\n"),
    channel('SLOW', '', "limit_req zone=slow burst=10;\n"),
    channel('STRICT', '', "limit_req zone=strict;\n"),
    channel('ASKED', '', "auth_request /_other;\n"),
    channel('MIRRORED', '', "mirror /_other;\n", "location /_other { internal; proxy_pass http://told/other; }\n"),
    channel('GUARDED', '', "allow 127.0.0.1;\ndeny all;\n"),
    channel('TRIED', '', "try_files /nothing \@tried;\n", <<'END'),
location @tried { proxy_pass http://told; }
END
    channel('CACHED', '', "proxy_cache cache;\nproxy_cache_methods POST;\nproxy_cache_key same;\nproxy_cache_valid any 1h;\n"),
    channel('BUFFERED', '', "proxy_buffering off;\n"),
    (map { channel("F$_", '', $filters) } qw(200 204 404 503)), channel('FRETURN', '', "return 200 gw;\n$filters"),
    (map { channel("Z$_", '', "gunzip on;\n$filters") } qw(200 404 503)), channel('BROKEN', '', "gunzip on;\n");

sub ends {
    my ($channel, $want, $tries, %fields) = @_;
    my $account = account();
    my $before = requests($channel);

    is(counts(settled($account, start($account, $channel, %fields))), $want, "$channel: the campaign");
    is(requests($channel) - $before, $tries, "$channel: requests at the gateway") if defined $tries;
    return (requests($channel))[$before .. requests($channel) - 1];
}

run_tests();

__DATA__

=== TEST 1: every variable has its three forms, exact where it is escaped
--- check
my $account = account();
my $text = qq(He said "hi" \\ a/b {{{first_name}}} 50% & x=1 + # ? ;\r\nX-Injected: 1\r\n\r\nGET /x HTTP/1.1\r\n\t😀 é \x{2028} <b>\$campaign_to</b>);
my $c = start($account, 'VARS', text => $text, to => [{ number => '+15551234567', first_name => 'A"\\{number}é' }]);
is(counts(settled($account, $c)), 'completed: 1 delivered of 1', 'it is delivered');
my @r = requests('VARS');
is(@r, 1, 'in one request');
my $r = $r[0];
(my $sent = $text) =~ s/\{\{\{first_name\}\}\}/{A"\\{number}é}/;
my %want = (id => $c->{id}, account => $account->id, channel => 'VARS', message_id => $r->{id}, from => 'Acme', to => '15551234567', text => $sent,
            attempt => 1, segments => 1 + int((length($sent) + 1) / 67), encoding => 'UCS-2');
my $body = { data => { from => 'Acme', to => ['15551234567'], text => $sent, channel => 'VARS', id => $r->{id} } };
my $bytes = sub { utf8::encode(my $b = $_[0]); $b };
for my $name (sort keys %want) {
    my $exact = $bytes->($want{$name});
    (my $plain = $exact) =~ s/[\x00-\x1f\x7f]/ /g;
    is($r->{header}{"x-plain-$name"}, $plain, "\$campaign_$name");
    is($bytes->(decode('["' . $r->{header}{"x-json-$name"} . '"]')->[0]), $exact, "\$campaign_json_$name");
    my $uri = $r->{header}{"x-uri-$name"};
    like($uri, qr/\A(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})*\z/, "\$campaign_uri_$name is escaped");
    is($uri =~ s/%(..)/chr hex $1/ger, $exact, "\$campaign_uri_$name");
}
is_deeply(decode($r->{body}), $body, '$campaign_body is the request of POST /v1/messages, with the id');
is($r->{header}{'x-plain-body'}, $r->{body}, 'and has one line');
is_deeply(decode(decode('["' . $r->{header}{'x-json-body'} . '"]')->[0] =~ s/(.*)/$bytes->($1)/esr), $body, '$campaign_json_body');
is($r->{header}{'x-uri-body'} =~ s/%(..)/chr hex $1/ger, $r->{body}, '$campaign_uri_body');
my %arg = map { my ($n, $v) = split /=/, $_, 2; ($n => $v =~ s/%(..)/chr hex $1/ger) } split /&/, $r->{args};
is_deeply(\%arg, { to => '15551234567', text => $bytes->($sent), id => $r->{id} }, 'as arguments of the URI');
is(grep({ /^X-Injected/i } @{ $r->{lines} }), 0, 'no header was injected');
is(scalar @{ $r->{lines} }, 33 + 4 + 1, 'and there is no line more than there are proxy_set_header, and Content-Length');


=== TEST 2: a body that is made of escaped variables is what it was
--- check
my $account = account();
my $text = qq("},{"to":"1"\\\n\x{1F600}\x{2029});
is(counts(settled($account, start($account, 'MADE', text => $text =~ s/([{}])/$1$1/gr))), 'completed: 1 delivered of 1', 'it is delivered');
my ($r) = requests('MADE');
my $body = decode($r->{body});
is($body->{message}, $text, 'text');
is($body->{who}, 'Acme', 'sender');
utf8::encode($body->{whole});
is(decode($body->{whole})->{data}{text}, $text, 'the whole body in a string');


=== TEST 3: the idempotency key is the message's id, a UUID, one for each message
--- check
my ($r) = ends('S200', 'completed: 1 sent of 1', 1);
like($r->{id}, uuid(), 'a UUID');
my @r = ends('S200', 'completed: 50 sent of 50', 50, to => [numbers(50)]);
my %ids = map { $_->{id} => 1 } @r;
is(keys %ids, 50, 'all differ');
is(join(',', sent_by(@r)), join(',', numbers(50)), 'and each number got one');
is_deeply([grep { decode($_->{body})->{data}{id} ne $_->{id} } @r], [], 'the body says the same id');


=== TEST 4: a template is rendered for each contact, with its defaults
--- check
my $account = account();
my $t = $account->template(channel => 'S200', text => '{first_name|friend}/{last_name|}/{number}/{custom1|none}/{custom2}/{timestamp|t}/{date|d} {{x}}');
my $a = $account->audience(channel => 'S200', contacts => [
    { number => '15550000001', first_name => 'Ada', last_name => 'Lovelace', custom1 => 'one', custom2 => 'two' },
    { number => '15550000002' },
    { number => '15550000003', first_name => '{last_name}', last_name => '{{', custom1 => 'é😀' },
]);
my $before = requests('S200');
my $c = start($account, 'S200', text => undef, to => undef, template => $t->{id}, audience => $a->{id});
is(counts(settled($account, $c)), 'completed: 3 sent of 3', 'it is sent');
my @r = (requests('S200'))[$before .. $before + 2];
my %text = map { my $d = decode($_->{body})->{data}; ($d->{to}[0] => $d->{text}) } @r;
is($text{15550000001}, 'Ada/Lovelace/15550000001/one/two/one/two {x}', 'all given');
is($text{15550000002}, 'friend//15550000002/none//t/d {x}', 'nothing given');
is($text{15550000003}, '{last_name}/{{/15550000003/é😀//é😀/d {x}', 'what a contact has in it is no placeholder');


=== TEST 5: an answer of 2xx is taken once; without receipts it counts as delivered
--- check
ends("S$_", 'completed: 1 sent of 1', 1) for 200, 201, 202, 204;
ends('NORECEIPT', 'completed: 1 delivered of 1', 1);


=== TEST 6: what the gateway refuses fails at once
--- check
ends("S$_", 'failed: 1 failed of 1', 1) for 304, 400, 404, 409, 413;
ends('MOVED', 'failed: 1 failed of 1', 1);
ends('DENY', 'failed: 1 failed of 1', 1);


=== TEST 7: what may pass is tried as often as campaign_retry says, with one id
--- check
for my $status (408, 425, 429, 500, 501, 502, 503, 504) {
    my @r = ends("S$status", 'failed: 1 failed of 1', 3);
    is(scalar(keys %{ { map { $_->{id} => 1 } @r } }), 1, "$status: one id");
    is(join(',', map { $_->{header}{'x-attempt'} } @r), '1,2,3', "$status: attempts");
    my @waits = map { $r[$_]{time} - $r[$_ - 1]{time} } 1 .. 2;
    is(scalar(grep { $_ < 0.019 } @waits), 0, "$status: with waits between") or diag "@waits";
}


=== TEST 8: a message recovers: the second request has the same id and says attempt 2
--- check
my @r = ends('RECOVER', 'completed: 1 sent of 1', 2);
is($r[1]{id}, $r[0]{id}, 'id');
is(join(',', map { $_->{header}{'x-attempt'} } @r), '1,2', 'attempts');
is($r[1]{body}, $r[0]{body}, 'body');
@r = ends('RECOVER', 'completed: 30 sent of 30', 60, to => [numbers(30)]);
my %tries;
push @{ $tries{ $_->{id} } }, $_->{header}{'x-attempt'} for @r;
is(join(' ', sort map { "@$_" } values %tries), join(' ', ('1 2') x 30), 'thirty of them');


=== TEST 9: a gateway that cannot be reached is tried again
--- check
ends('REFUSED', 'failed: 1 failed of 1');
open my $log, '<', Test::Nginx::Util::server_root() . '/logs/error.log';
is(scalar(grep { m{connect\(\) failed .* upstream: "http://127.0.0.1:\d+/refused"} } <$log>), 3, 'three times in all');
my @r = ends('HALF', 'completed: 1 sent of 1', 1);
is($r[0]{header}{'x-attempt'}, 1, 'another peer of the upstream takes the same attempt');
@r = ends('HALF', 'completed: 10 sent of 10', 10, to => [numbers(10)]);


=== TEST 10: a request that went out and has no answer is sent again with the same id
--- check
for my $channel (qw(SILENT DROP RESET PARTIAL HTTP09 INTERIM)) {
    my @r = ends($channel, 'completed: 1 sent of 1', 2);
    is($r[1]{id}, $r[0]{id}, "$channel: id");
}
ends('MUTE', 'failed: 1 failed of 1', 3);


=== TEST 11: with redelivery off it is not: nobody gets a message twice
--- check
ends("${_}_OFF", 'failed: 1 failed of 1', 1) for qw(SILENT DROP RESET);
ends('SILENT_OFF', 'failed: 20 failed of 20', 20, to => [numbers(20)]);


=== TEST 12: Retry-After of a 503 rests the whole gateway, not that message alone
--- check
my $account = account();
my $c = start($account, 'REST', to => [numbers(5)]);
wait_for { requests('REST') };
gateway()->tell('rested');
is(counts(settled($account, $c)), 'completed: 5 sent of 5', 'all are sent in the end');
my @r = requests('REST');
is(@r, 6, 'one of them twice');
is(join(',', map { sprintf '%d', $_->{time} - $r[0]{time} } @r), '0,1,1,1,1,1', 'nothing comes while the gateway rests');
is(scalar(grep { $_->{header}{'x-attempt'} > 1 } @r), 1, 'those that waited count no attempt') or diag join ',', map { $_->{header}{'x-attempt'} } @r;


=== TEST 13: a reply that is long, or shorter than it says, is an answer like another
--- check
ends('LONG', 'completed: 1 sent of 1', 1);
ends('LONG', 'completed: 20 sent of 20', 20, to => [numbers(20)]);
ends('SHORT', 'completed: 1 sent of 1', 1);
ends('BUFFERED', 'completed: 1 sent of 1', 1);


=== TEST 14: a gateway leads nowhere: X-Accel-Redirect is not followed
--- check
ends('ACCEL', 'failed: 1 failed of 1', 1);
is(scalar gateway()->requests('/secret'), 0, 'the location that it named was not reached');


=== TEST 15: a location without an upstream answers for the gateway
--- check
ends('RETURN200', 'completed: 1 delivered of 1');
ends('RETURN204', 'completed: 1 delivered of 1');
ends('RETURN404', 'failed: 1 failed of 1');
ends('RETURN503', 'failed: 1 failed of 1');
ends('RETURN444', 'failed: 1 failed of 1');
ends('RETURN200', 'completed: 500 delivered of 500', undef, to => [numbers(500)]);


=== TEST 16: error_page leads to another gateway, or speaks for it
--- check
ends('FALLBACK', 'completed: 1 sent of 1');
my ($r) = gateway()->requests('/fallback');
is($r->{method}, 'POST', 'with its method');
is(decode($r->{body})->{data}{id}, $r->{id}, 'its id and its body');
ends('TURNED', 'completed: 1 sent of 1');
ends('PAGE', 'failed: 1 failed of 1');
ends('UNREACHED', 'completed: 1 sent of 1');


=== TEST 17: rewrite and try_files lead to another location
--- check
ends('REWRITTEN', 'completed: 1 sent of 1', 1);
ends('CIRCLE', 'failed: 1 failed of 1');
ends('TRIED', 'completed: 1 sent of 1');


=== TEST 18: limit_req delays a delivery, or refuses this attempt
--- check
my @r = ends('SLOW', 'completed: 6 sent of 6', 6, to => [numbers(6)]);
my $took = $r[-1]{time} - $r[0]{time};
cmp_ok($took, '>=', 0.2, 'six of them at 20 a second');
ends('STRICT', 'completed: 1 failed, 1 sent of 2', 1, to => [numbers(2)]);


=== TEST 19: auth_request, access rules and mirrors are for requests of clients: nginx passes them over in a background request
--- check
ends($_, 'completed: 1 sent of 1', 1) for qw(ASKED GUARDED MIRRORED);
is(scalar gateway()->requests('/other'), 0, 'nobody else was asked');


=== TEST 20: a cached reply is no delivery
--- check
my @r = ends('CACHED', 'completed: 3 sent of 3', 3, to => [numbers(3)]);
is(scalar(keys %{ { map { $_->{id} => 1 } @r } }), 3, 'three messages');


=== TEST 21: what filters make of a reply's body does not matter: its status counts, and the gateway's id is the one that it sent
--- check
for my $channel (qw(F Z)) {
    my $account = account();
    ends("$channel$_", 'failed: 1 failed of 1', $_ == 503 ? 3 : 1) for 404, 503;
    ends("${channel}200", 'completed: 30 sent of 30', 30, to => [numbers(30)]);
    is(counts(settled($account, my $c = start($account, "${channel}200"))), 'completed: 1 sent of 1', "$channel: one more");
    my ($m) = @{ $account->get("/campaigns/$c->{id}/messages")->data };
    is($m->{gateway_id}, $channel eq 'F' ? 'gw' : undef, "$channel: the gateway's id, unless it is compressed");
}
ends('F204', 'completed: 1 sent of 1', 1);
ends('FRETURN', 'completed: 1 sent of 1');
ends('BROKEN', 'completed: 1 sent of 1', 1);


=== TEST 22: a Retry-After that is a date is obeyed, in each form that HTTP has
--- check
my $account = account();
my @channels = qw(DATE_IMF DATE_RFC850 DATE_ASCTIME DATE_PAST);
my %c = map { $_ => start($account, $_, to => [numbers(3)]) } @channels;
for (@channels) {
    is(counts(settled($account, $c{$_})), 'completed: 3 sent of 3', "$_: all are sent");
    my @r = requests($_);
    my %times;
    push @{ $times{ $_->{id} } }, $_->{time} for @r;
    my @again = grep { @$_ > 1 } values %times;
    cmp_ok(scalar @again, '>=', 1, "$_: and were refused before");
    # the last date that was given; what is reckoned in whole seconds may be a second late
    my $date = int((sort { $a <=> $b } map { $_->[0] } @again)[-1]) + 2;
    my @second = sort { $a <=> $b } map { $_->[1] } @again;
    if ($_ eq 'DATE_PAST') {
        cmp_ok($second[0] - $r[0]{time}, '<', 1, 'a date that has passed is no reason to wait');
        next;
    }
    cmp_ok($second[0], '>=', $date, "$_: not before its time");
    cmp_ok($second[-1], '<', $date + 1.5, "$_: nor much later");
}
