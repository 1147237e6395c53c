# Texts of users on their way to a gateway: no byte of any field ends a header, a line, an argument, a string or a FastCGI parameter.
#
# Each field that can reach a gateway gets each byte, and sequences that split requests elsewhere.  It is refused by a code that names the field,
# or it arrives, exact where it is escaped, with spaces for control characters where it is plain.  A server that notes bytes (Campaign::Spy) shows
# that each connection has just the request that was configured; a library in the workers notes where they connect to.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Fault;
use Campaign::Nginx;
use Campaign::Spy;
use Digest::SHA qw(hmac_sha256_base64);
use HTTP::Tiny;
use JSON::PP ();
use Test::More;

my $port = $ENV{TEST_NGINX_SERVER_PORT};
my $root = "$ENV{TEST_NGINX_SERVROOT}-injection";
my $spy = Campaign::Spy->new("$root.spy");
my $at = '127.0.0.1:' . $spy->port;
my $decoder = JSON::PP->new->utf8;

my $server = Campaign::Nginx->new('injection', port => $port, text => <<"END");
worker_processes 2;
error_log logs/error.log info;
pid logs/nginx.pid;
events { worker_connections 1024; }

http {
    access_log off;
    campaign_store store size=1g durability=relaxed;
    campaign_retry attempts=1;

    server {
        listen 127.0.0.1:$port;
        location /v1/ { campaign_api; }
        location /admin/ { campaign_admin; }
        location /inbound { campaign_inbound; }

        campaign_gateway HTTP /_gateway/http concurrency=64 receipts=off;
        campaign_gateway FCGI /_gateway/fcgi concurrency=64 receipts=off;
        campaign_webhook /_webhook allow=127.0.0.1;

        proxy_method POST;
        proxy_pass_request_headers off;

        location /_gateway/http {
            internal;
            proxy_pass http://$at/http/\$campaign_uri_from?to=\$campaign_uri_to&text=\$campaign_uri_text&plain=\$campaign_text;
            proxy_set_header Host spy;
            proxy_set_header X-To \$campaign_to;
            proxy_set_header X-From \$campaign_from;
            proxy_set_header X-Text \$campaign_text;
            proxy_set_header X-Text-Json \$campaign_json_text;
            proxy_set_header X-Text-Uri \$campaign_uri_text;
            proxy_set_header X-Text-Xml \$campaign_xml_text;
            proxy_set_header X-Body \$campaign_body;
            proxy_set_body '{"from":"\$campaign_json_from","text":"\$campaign_json_text","body":\$campaign_body}';
        }

        location /_gateway/fcgi {
            internal;
            fastcgi_pass $at;
            fastcgi_pass_request_headers off;
            fastcgi_param TO \$campaign_to;
            fastcgi_param FROM \$campaign_from;
            fastcgi_param TEXT \$campaign_text;
            fastcgi_param TEXT_JSON \$campaign_json_text;
            fastcgi_param QUERY_STRING from=\$campaign_uri_from&text=\$campaign_uri_text;
            fastcgi_param BODY \$campaign_body;
        }

        location /_webhook {
            internal;
            proxy_pass \$campaign_webhook_url;
            proxy_set_header Host \$campaign_webhook_host;
            proxy_set_header X-Account \$campaign_account;
            proxy_set_header X-Dexatel-Signature \$campaign_webhook_signature;
            proxy_set_body \$campaign_body;
        }
    }
}
END

# name, what is in a JSON string, what it says (undef: it is no JSON that is taken), its bytes if they are not that
my @values = (
    ['byte 00', 'a\u0000b', undef, "a\0b"],
    (map { [sprintf('byte %02x', $_), $_ < 0x20 || $_ == 0x22 || $_ == 0x5c || $_ == 0x7f ? sprintf 'a\u%04xb', $_ : 'a' . chr($_) . 'b', 'a' . chr($_) . 'b'] } 1 .. 0x7f),
    (map { [sprintf('raw byte %02x', $_), 'a' . chr($_) . 'b', undef] } 0 .. 0x1f, 0x80 .. 0xff),
    (map { utf8::encode(my $c = 'a' . chr($_) . 'b'); [sprintf('U+%04X', $_), $c, $c] } 0x80 .. 0xff, 0x2028, 0x2029, 0x560a, 0x560d, 0xfeff, 0xfffd, 0xff0d, 0x10ffff),
    ['overlong CR LF', "a\xc0\x8d\xc0\x8ab", undef], ['overlong NUL', "a\xe0\x80\x80b", undef], ['a surrogate', 'a\ud800b', undef],
    ['encoded surrogate', "a\xed\xa0\x80b", undef], ['cut', "ab\xe2\x82", undef], ['too far', "a\xf4\x90\x80\x80b", undef],
    ['CR LF header', 'a\r\nX-In: 1', "a\r\nX-In: 1"], ['LF header', 'a\nX-In: 1', "a\nX-In: 1"], ['two requests', 'a\r\n\r\nGET /x', "a\r\n\r\nGET /x"],
    ['percent', 'a%0d%0aX-In:1', 'a%0d%0aX-In:1'], ['percent NUL', 'a%00b', 'a%00b'], ['backslashes', 'a\\\\r\\\\nX', 'a\\r\\nX'],
    ['out of the string', 'a\",\"b\":\"', 'a","b":"'], ['end of the line', 'a HTTP/1.1', 'a HTTP/1.1'], ['argument', 'a&to=1#b?c;d', 'a&to=1#b?c;d'],
    ['path', 'a/../../b', 'a/../../b'], ['variable', 'a$campaign_to', 'a$campaign_to'], ['template', 'a{first_name}', 'a{first_name}'],
    ['markup', 'a]]><b>&lt;', 'a]]><b>&lt;'], ['URL', 'http://10.0.0.1/', 'http://10.0.0.1/'], ['length', 'a\r\n0\r\n\r\n', "a\r\n0\r\n\r\n"],
);

my ($fine, $said) = $server->tested;
ok($fine, 'nginx -t') or diag $said;
{
    local @ENV{qw(LD_PRELOAD CAMPAIGN_CONNECT_LOG ASAN_OPTIONS)} = (tool('preload_connect.so'), "$root.connect",
                                                                   join ':', grep { length } $ENV{ASAN_OPTIONS} // '', 'verify_asan_link_order=0');
    unlink "$root.connect";
    $server->start;
}

my $account = account(rate => 1_000_000, burst => 1_000_000);
$account->sender(channel => $_) for qw(HTTP FCGI);
my $hook = $account->make('/webhooks', { url => "http://$at/delivery", event => 'delivery', secret => 'hush' });
$account->make('/webhooks', { url => "http://$at/message", event => 'message', secret => 'hush' });

# number => what has to come: channel, from, text, what it is, payload
my (%want, %refused);
my $number = 15550000000;

# what a text may have, and what a name
sub text_may { defined $_[0] && $_[0] !~ /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/ }
sub name_may { defined $_[0] && $_[0] !~ /[\x00-\x1f\x7f]/ }
sub sender_may { defined $_[0] && $_[0] !~ /[^A-Za-z0-9 ._&-]/ && length $_[0] <= 11 }
sub placed { $_[0] =~ s/([{}])/$1$1/gr }                # in a text braces are doubled
sub next_number { '["' . ++$number . '"]' }
sub body { my %fields = @_; '{"data":{' . join(',', map { qq("$_":$fields{$_}) } sort keys %fields) . '}}' }
sub expect { my ($number, %what) = @_; $want{$number} = \%what }

# whether the value was taken in this field, as it is to be; if it may not be, it is refused by this code, which names the field, or as no JSON
sub taken {
    my ($field, $value, $may, $code, $r) = @_;
    my $is = $r->status =~ /\A20/ ? 'taken' : join ' ', $r->status, map { $_->{code} == 1005 ? 1005 : "$_->{code} " . ($_->{message} =~ /'([^']+)'/)[0] } $r->errors;
    my $wanted = $may ? 'taken' : defined $value->[2] ? "400 $code" : '400 1005';
    push @{ $refused{$field} }, "$value->[0]: $is, not $wanted" if $is ne $wanted;
    return $is eq 'taken' && $may;
}

# campaigns: a sender's name, the text, payload and name of a campaign, a template's text, the fields of a contact
sub try_campaign {
    my ($value) = @_;
    my ($name, $in, $text) = @$value;
    my @from = ('Acme', 'Acme');

    for my $channel (qw(HTTP FCGI)) {
        my $r = $account->post('/senders', body(name => qq("$in"), channel => qq("$channel")));
        @from = ($in, $text) if taken('sender.name', $value, sender_may($text), '1154 data.name', $r);
    }

    my $r = $account->post('/campaigns', body(from => qq("$from[0]"), channel => '"HTTP"', text => qq("@{[ placed($in) ]}"), payload => qq("$in"), to => next_number()));
    expect($number, channel => 'HTTP', from => $from[1], text => $text, payload => $text, what => "campaign.text, $name")
        if taken('campaign.text', $value, text_may($text), '1620 data.text 1621 data.payload', $r);

    $r = $account->post('/campaigns', body(from => '"Acme"', channel => '"FCGI"', text => '"x"', name => qq("$in"), to => next_number()));
    expect($number, channel => 'FCGI', from => 'Acme', text => 'x', what => "campaign.name, $name") if taken('campaign.name', $value, name_may($text), '1623 data.name', $r);

    $r = $account->post('/templates', body(channel => '"HTTP"', text => qq("@{[ placed($in) ]}")));
    if (taken('template.text', $value, text_may($text), '1255 data.text', $r)) {
        $account->post('/campaigns', body(from => '"Acme"', channel => '"HTTP"', template => json($r->data->{id}), to => next_number()));
        expect($number, channel => 'HTTP', from => 'Acme', text => $text, what => "template.text, $name");
    }

    my $contact = join ',', map { qq("$_":"$in") } qw(first_name last_name custom1 custom2);
    $r = $account->post('/campaigns', body(from => '"Acme"', channel => '"HTTP"', text => '"{first_name}|{last_name}|{custom1}|{custom2}"',
                                           to => '[{"number":"' . ++$number . qq(",$contact}])));
    expect($number, channel => 'HTTP', from => 'Acme', text => join('|', ($text) x 4), what => "contact, $name")
        if taken('contact', $value, text_may($text), '1618 data.to[0].first_name', $r);
    return $from[1] eq 'Acme' ? 'Acme' : $in;
}

# messages: the text, the number; and one that comes in, as bytes
sub try_message {
    my ($value, $from) = @_;
    my ($name, $in, $text) = @$value;

    my $r = $account->post('/messages', body(from => qq("$from"), channel => '"FCGI"', text => qq("$in"), to => next_number()));
    expect($number, channel => 'FCGI', from => $from eq 'Acme' ? 'Acme' : $text, text => $text, what => "message.text, $name")
        if taken('message.text', $value, text_may($text), '1509 data.text', $r);

    my $to = ++$number . $in =~ s/\Aa(.*)b\z/$1/sr;
    $r = $account->post('/messages', body(from => '"Acme"', channel => '"HTTP"', text => '"x"', to => qq(["$to"])));
    my $is = $r->status == 201 ? 'taken' : join ' ', $r->status, $r->codes;
    push @{ $refused{'message.to'} }, "$name: $is" if $is !~ /\A(?:taken|400 1506|400 1005)\z/ || defined $text && $is =~ /1005/ || $is eq 'taken' && !name_may($text);
    expect($r->data->[0]{to}, channel => 'HTTP', from => 'Acme', text => 'x', what => "message.to, $name") if $is eq 'taken';

    my $bytes = $value->[3] // $text // $in;
    my $copy = $bytes;
    my $kept = utf8::decode($copy) && $copy !~ /[\x{d800}-\x{dfff}]|[^\x{0}-\x{10ffff}]/ ? $bytes : $bytes =~ s/[\x80-\xff]/?/gr;
    state $http = HTTP::Tiny->new;
    $r = $http->get("http://127.0.0.1:$port/inbound?from=" . ++$number . '&to=Acme&text=' . $bytes =~ s/([^A-Za-z0-9])/sprintf '%%%02x', ord $1/ger);
    push @{ $refused{'inbound.text'} }, "$name: $r->{status} $r->{content}" if $r->{status} != 200;
    expect($number, channel => 'message', text => $kept =~ s/\s+\z//r, what => "inbound.text, $name");
}

# contacts of a file: bytes as they are, in quotes
sub try_file {
    my $audience = $account->make('/audiences', { name => 'file', channel => 'FCGI' });
    my ($csv, $good) = ("number,custom2\r\n", 0);

    for my $byte (grep { $_ != 0x22 } 0 .. 0xff) {
        my $text = 'a' . chr($byte) . 'b';
        $csv .= ++$number . qq(,"$text"\r\n);
        next if $byte >= 0x80 || !text_may($text);
        $good++;
        expect($number, channel => 'FCGI', from => 'Acme', text => $text, what => sprintf 'a byte of a file, %02x', $byte);
    }
    my $r = $account->post("/audiences/$audience->{id}/contacts", $csv, 'Content-Type' => 'text/csv');
    is(join(' ', map { $r->data->{$_} // '' } qw(created invalid)), "$good " . (255 - $good), 'a file: lines with a byte that may not be are left out') or diag $r->body;
    $account->make('/campaigns', { from => 'Acme', channel => 'FCGI', audience => $audience->{id}, text => '{custom2}' });
}

for my $value (@values) {
    my $from = try_campaign($value);
    try_message($value, $from);
}
try_file();

for my $field (qw(sender.name campaign.text campaign.name template.text contact message.text message.to inbound.text)) {
    my @bad = @{ $refused{$field} // [] };
    is(scalar @bad, 0, "$field: " . @values . ' values, each taken or refused as it should be') or diag join "\n", @bad[0 .. ($#bad < 9 ? $#bad : 9)];
}


# what came

sub bytes_of { my $s = $_[0]; utf8::encode($s); $s }
sub unescaped { $_[0] =~ s/%(..)/chr hex $1/ger }
sub plain { $_[0] =~ s/[\x00-\x1f\x7f]/ /gr }
sub string { bytes_of($decoder->decode("[\"$_[0]\"]")->[0]) }

# what is not what it should be: triples of a name, what it is, what it should be
sub differs {
    my ($what, @triples) = @_;
    while (my ($which, $is, $should) = splice @triples, 0, 3) {
        return "$what: $which is " . json($is) . ', not ' . json($should) if $is ne $should;
    }
    return undef;
}

# a request of HTTP that has just this header: its target, header, body
sub http {
    my ($bytes, @names) = @_;
    my ($head, $body) = $bytes =~ /\A(.*?)\r\n\r\n(.*)\z/s or return;
    my ($line, @lines) = split /\r\n/, $head, -1;
    my ($target) = $line =~ m{\APOST (/[^\r\n]*) HTTP/1\.0\z} or return;
    my %header = map { my ($n, $v) = split /: ?/, $_, 2; ($n => $v) } @lines;
    return if $body =~ /\0/ || $head =~ s/\r\n//gr =~ /[\x00-\x1f\x7f]/;
    return if join(' ', sort map { (split /:/)[0] } @lines) ne join(' ', sort @names);
    return if length $body != $header{'Content-Length'};
    return ($target, \%header, $body);
}

sub http_message {
    my ($target, $h, $body) = http($_[0], qw(Host Connection Content-Length X-To X-From X-Text X-Text-Json X-Text-Uri X-Text-Xml X-Body)) or return 'another request';
    my $w = $want{ $h->{'X-To'} } or return 'another number';
    my ($from, $text) = @$w{qw(from text)};
    my ($path, $to, $in, $plain) = $target =~ m{\A/http/([A-Za-z0-9._~%-]+)\?to=(\d+)&text=([A-Za-z0-9._~%-]*)&plain=(.*)\z} or return "$w->{what}: another target";
    my $json = eval { $decoder->decode($body) } or return "$w->{what}: the body is no JSON";
    my $whole = $json->{body}{data};
    $w->{seen}++;
    return differs($w->{what}, channel => $w->{channel}, 'HTTP', path => unescaped($path), $from, argument => unescaped($in), $text, plain => $plain, plain($text),
        to => $to, $h->{'X-To'}, 'X-From' => $h->{'X-From'}, plain($from), 'X-Text' => $h->{'X-Text'}, plain($text),
        'X-Text-Uri' => unescaped($h->{'X-Text-Uri'}), $text, 'X-Text-Json' => string($h->{'X-Text-Json'}), $text,
        json => bytes_of("$json->{from}|$json->{text}"), "$from|$text", body => bytes_of("$whole->{from}|$whole->{text}"), "$from|$text",
        keys => join(' ', sort(keys %$json), sort keys %$whole), 'body from text channel from id text to',
        'X-Body' => $h->{'X-Body'}, substr($body, index($body, '"body":') + 7, -1), markup => $h->{'X-Text-Xml'} =~ /[<>"']/ ? 1 : 0, 0);
}

sub fastcgi_message {
    my ($pairs, $stdin, $end) = Campaign::Spy::fastcgi($_[0]);
    return 'no whole request' if !$end || $end != length $_[0] || length $stdin;
    return 'other parameters' if join(' ', map { $_->[0] } @$pairs) ne 'TO FROM TEXT TEXT_JSON QUERY_STRING BODY';
    my %p = map { @$_ } @$pairs;
    my $w = $want{ $p{TO} } or return 'another number';
    my ($from, $text) = @$w{qw(from text)};
    my $body = eval { $decoder->decode($p{BODY})->{data} } or return "$w->{what}: the body is no JSON";
    my @args = $p{QUERY_STRING} =~ /\Afrom=([A-Za-z0-9._~%-]*)&text=([A-Za-z0-9._~%-]*)\z/ or return "$w->{what}: another query";
    $w->{seen}++;
    return differs($w->{what}, channel => $w->{channel}, 'FCGI', FROM => $p{FROM}, plain($from), TEXT => $p{TEXT}, plain($text), TEXT_JSON => string($p{TEXT_JSON}), $text,
        QUERY_STRING => join('|', map { unescaped($_) } @args), "$from|$text", BODY => bytes_of("$body->{from}|$body->{text}"), "$from|$text");
}

sub webhook {
    my ($target, $h, $body) = http($_[0], qw(Host Connection Content-Length X-Account X-Dexatel-Signature)) or return 'another request';
    my $event = eval { $decoder->decode($body)->{data} } or return 'the body is no JSON';
    my $inbound = $target eq '/message';
    my $w = $want{ $inbound ? $event->{from} : $event->{to} } or return 'of another number';
    $w->{ $inbound ? 'seen' : 'told' }++;
    my ($is, $should) = $inbound ? ($event->{text}, $w->{text}) : ($event->{payload}, $w->{payload});
    return differs($w->{what}, account => $h->{'X-Account'}, $account->id,
        signature => $h->{'X-Dexatel-Signature'}, hmac_sha256_base64($body, 'hush') . '=', told => bytes_of($is // 'null'), $should // 'null');
}

my $sent = grep { $_->{channel} ne 'message' } values %want;
wait_for { my $n = () = $spy->records; $n >= keys(%want) + $sent } 60;

my (@wrong, %kinds);
for my $bytes ($spy->records) {
    my $kind = $bytes =~ /\A\x01/ ? 'FastCGI' : $bytes =~ m{\A\w+ /http/} ? 'HTTP' : 'webhook';
    my $fault = $kind eq 'FastCGI' ? fastcgi_message($bytes) : $kind eq 'HTTP' ? http_message($bytes) : webhook($bytes);
    push @wrong, "$kind: $fault: " . json(substr $bytes, 0, 300) if defined $fault;
    $kinds{$kind}++;
}
is(scalar @wrong, 0, 'each connection has the request that was configured: ' . join ', ', map { "$kinds{$_} of $_" } sort keys %kinds) or
    diag join "\n", @wrong[0 .. ($#wrong < 9 ? $#wrong : 9)];
my @lost = grep { ($want{$_}{seen} // 0) != 1 || $want{$_}{channel} ne 'message' && ($want{$_}{told} // 0) != 1 } sort keys %want;
is(scalar @lost, 0, 'each message came once, and was told once: ' . keys %want) or diag explain [map { $want{$_} } @lost[0 .. ($#lost < 4 ? $#lost : 4)]];
cmp_ok($kinds{$_} // 0, '>', 300, "$_ was tried") for qw(HTTP FastCGI webhook);
is($account->get("/webhooks/$hook->{id}")->data->{failed}, 0, 'no event failed');

open my $in, '<', "$root.connect" or die "$root.connect: $!";
my %connected = map { chomp; ($_ => 1) } <$in>;
is(join(' ', sort keys %connected), $at, 'the workers have connected to the gateway, and nowhere else');

$server->stop;
is($server->alerts, '', 'the error log is clean');

done_testing();
