# Configurations that nginx -t refuses, with a message that names the mend; and that nginx -t leaves no trace.

use v5.10.1;
use strict;
use warnings;

use Cwd ();
use File::Path qw(make_path remove_tree);
use Test::More;

my $root = Cwd::realpath('.');
my $nginx = $ENV{TEST_NGINX_BINARY} // "$root/build/sbin/nginx";
my $port = $ENV{TEST_NGINX_SERVER_PORT} // 20000 + int rand 10000;
my $dir = $ENV{TEST_NGINX_SERVROOT} // "$root/build/root/conf";

$dir =~ m{/build/} or die "$dir is not below build/\n";
remove_tree($dir);
make_path("$dir/logs");
make_path("$dir/store", { mode => 0700 });

my $gateway = 'location /_gateway/sms { internal; proxy_pass http://127.0.0.1:1; }';
my $store = 'campaign_store store;';
my $main = $> == 0 ? 'user root;' : '';

# what nginx -t says of it
sub nginx_t {
    my ($conf) = @_;

    open my $out, '>', "$dir/nginx.conf" or die "$dir/nginx.conf: $!";
    print $out $conf;
    close $out;

    my $said = `'$nginx' -t -p '$dir/' -e '$dir/logs/error.log' -c '$dir/nginx.conf' 2>&1`;
    return ($?, $said);
}

# a configuration out of what stands in http{}, in a server{} and before http{}
sub conf {
    my ($http, $server, $before) = @_;
    return ($before // $main) . "\nevents { }\nhttp {\naccess_log off;\n$http\nserver {\nlisten 127.0.0.1:$port;\n$server\n}\n}\n";
}

sub accepts {
    my ($title, @conf) = @_;
    my ($status, $said) = nginx_t(conf(@conf));
    ok($status == 0 && $said !~ /\[(?:emerg|alert|crit)\]|Sanitizer|runtime error:/, "$title is accepted") or diag($said);
}

# the message has to match all of these
sub refuses {
    my ($title, $patterns, @conf) = @_;
    my ($status, $said) = nginx_t(conf(@conf));

    my ($message) = $said =~ /\[emerg\] (.*)/;
    my @missing = grep { ($message // '') !~ $_ } ref $patterns eq 'ARRAY' ? @$patterns : $patterns;

    ok($status == 1 << 8 && !@missing && $said !~ /Sanitizer|runtime error:/, "$title is refused") or diag("status $status, lacks @missing: $said");
}


# what works

accepts('no directive of the module', '', '');
accepts('a store alone', $store, '');
accepts('everything', <<"HTTP", <<"SERVER");
campaign_store $dir/store size=1m durability=relaxed;
campaign_dispatch off;
campaign_retry attempts=100 min=1ms max=1d;
campaign_redelivery off;
HTTP
campaign_gateway SMS /_gateway/sms concurrency=65536 receipts=off;
campaign_gateway X_1234567890ABCD /_gateway/x receipts=on concurrency=1 id=data[0].id id=word:2 id=tag:id id=header:X-Id;
campaign_retry min=2s;
campaign_redelivery on;
$gateway
location ~ ^/_gateway/x { internal; proxy_pass http://127.0.0.1:1; }
location /v1/ { campaign_api; }
location /nested/ { location /nested/v1 { campaign_api; } }
location ^~ /admin { campaign_admin; }
SERVER
accepts('a gateway in an exact location', $store, 'campaign_gateway SMS /g; location = /g { internal; proxy_pass http://127.0.0.1:1; }');
accepts('a gateway in a nested location', $store,
        'campaign_gateway SMS /g/sms; location /g { location /g/sms { internal; proxy_pass http://127.0.0.1:1; } }');
accepts('a gateway below a longer location', $store,
        "campaign_gateway SMS /_gateway/sms/all; $gateway location /_gateway/smsc { return 204; }");
accepts('durability=full and the largest size that is of use', 'campaign_store store durability=full size=16384g;', '');

is_deeply([glob "$dir/store/{*,.??*}"], [], 'and nothing was created in the store');


# the store

my $unwritable = qr/is not writable by the worker processes/;

refuses('a store that does not exist', [qr{"campaign_store" directory "$dir/nowhere" can not be used}, qr/create it/, qr/No such file/],
        'campaign_store nowhere;', '');
ok(!-e "$dir/nowhere", 'and it is not created');
refuses('a store that is a file', qr/is not a directory: name one/, 'campaign_store nginx.conf;', '');

if ($> == 0) {
    my ($uid, $gid) = (getpwnam 'nobody')[2, 3];
    my $conf = 'user nobody ' . getgrgid($gid) . ';';

    refuses('a store that the worker user does not own', [$unwritable, qr/chown nobody/, qr/chmod 0700/], $store, '', $conf);
    chown $uid, $gid, "$dir/store";
    accepts('one that it owns', $store, '', $conf);
    chmod 0500, "$dir/store";
    refuses('one that it owns and may not write', $unwritable, $store, '', $conf);
    chown 0, $gid, "$dir/store";
    chmod 0770, "$dir/store";
    accepts('one that its group may write', $store, '', $conf);
    chmod 0755, "$dir/store";
    refuses('one that its group may not write', $unwritable, $store, '', $conf);
    chown 0, 0, "$dir/store";
    chmod 0700, "$dir/store";
} else {
    chmod 0500, "$dir/store";
    refuses('a store that is not writable', [$unwritable, qr/chmod 0700/], $store, '');
    chmod 0700, "$dir/store";
}

refuses('a second store', [qr/"campaign_store" directive is duplicate/, qr/give it once/], "$store campaign_store store;", '');
refuses("size=$_", [qr/invalid parameter "size=$_" of "campaign_store"/, qr/size=16g/], "campaign_store store size=$_;", '') for '1k', 'big', '', '-1g', '0';
refuses('durability=none', [qr/"durability=none"/, qr/"full" or "relaxed"/], 'campaign_store store durability=none;', '');
refuses('an unknown parameter of the store', [qr/"sync=on"/, qr/size=\S+ and durability=/], 'campaign_store store sync=on;', '');
refuses('a store of another machine', [qr{"postgres://db/campaigns"}, qr/directory of this machine/], 'campaign_store postgres://db/campaigns;', '');
refuses('a store in server{}', qr/"campaign_store" directive is not allowed here/, '', $store);
refuses('a store without a path', qr/invalid number of arguments/, 'campaign_store;', '');


# what needs a store

refuses("$_ without a store", [qr/"$_" in \S+nginx\.conf:\d+ needs a store/, qr/add "campaign_store <directory>;" to http/], '', "location /v1/ { $_; }")
    for 'campaign_api', 'campaign_admin';
refuses('a gateway without a store', [qr/"campaign_gateway" in \S+nginx\.conf:\d+ needs a store/, qr/add "campaign_store/], '',
        "campaign_gateway SMS /_gateway/sms; $gateway");


# gateways

refuses('a gateway without a location', [qr/"campaign_gateway SMS" in \S+:\d+: there is no internal location for "\/_gateway\/sms"/,
        qr{add "location /_gateway/sms \{ internal;}], $store, 'campaign_gateway SMS /_gateway/sms;');
refuses('a gateway whose location is not internal', qr/no internal location for "\/g"/, $store, 'campaign_gateway SMS /g; location /g { return 204; }');
refuses('a gateway that a regular expression takes away', qr/no internal location for/, $store,
        "campaign_gateway SMS /_gateway/sms; $gateway location ~ sms\$ { return 204; }");
refuses('a gateway whose location is in another server', qr/no internal location for/,
        "$store server { listen 127.0.0.1:$port; server_name other; $gateway }", 'campaign_gateway SMS /_gateway/sms;');
refuses("channel $_ for a second time", [qr/channel "SMS" has a gateway already, in \S+nginx\.conf:\d+/, qr/use upstream\{\}/], $store,
        "$gateway campaign_gateway SMS /_gateway/sms; campaign_gateway $_ /_gateway/sms;") for 'SMS', 'sms';
refuses('a channel for a second time in another server', qr/channel "SMS" has a gateway already/,
        "$store server { listen 127.0.0.1:$port; server_name other; campaign_gateway SMS /_gateway/sms; $gateway }",
        "campaign_gateway SMS /_gateway/sms; $gateway");
refuses("channel $_", [qr/invalid channel/, qr/up to 16 letters, digits and underscores/], $store, "$gateway campaign_gateway $_ /_gateway/sms;")
    for 'SM-S', '"S MS"', '""', 'ABCDEFGHIJKLMNOPQ', "SM\xc3\x9c";
refuses("gateway $_", [qr/invalid parameter "\Q$_\E" of "campaign_gateway"/, qr{such as /_gateway/sms}], $store, "campaign_gateway SMS $_;")
    for '@sms', 'http://127.0.0.1/', '_gateway';
refuses("concurrency=$_", [qr/"concurrency=$_"/, qr/1 to 65536/], $store, "$gateway campaign_gateway SMS /_gateway/sms concurrency=$_;")
    for '0', '65537', 'many', '-1', '';
refuses("receipts=$_", [qr/"receipts=$_"/, qr/"on" or "off"/], $store, "$gateway campaign_gateway SMS /_gateway/sms receipts=$_;") for 'maybe', '';
refuses("id=$_", [qr/where the gateway's replies have its id/, qr/word:2, tag:messageId/], $store, "$gateway campaign_gateway SMS /_gateway/sms $_;")
    for map({ "id=$_" } '', 'a..b', '[x]', 'word:0', 'word:x', 'word:', 'tag:', 'header:'), 'id=off id=x', 'id=x id=off', 'id=off id=off',
        'id=a id=b id=c id=d id=e';
refuses('an unknown parameter of a gateway', [qr/"rate=1"/, qr/concurrency=\S+ receipts=\S+ and id=/], $store, "$gateway campaign_gateway SMS /_gateway/sms rate=1;");
refuses('a gateway in http{}', qr/directive is not allowed here/, "$store campaign_gateway SMS /_gateway/sms;", '');


# locations of the API

my $prefix = qr{needs a location that is a prefix, such as "location /v1/"};

for my $directive ('campaign_api', 'campaign_admin') {
    refuses("$directive in a regular expression", [qr/"$directive" directive/, $prefix], $store, "location ~ ^/v1 { $directive; }");
    refuses("$directive in an exact location", $prefix, $store, "location = /v1 { $directive; }");
    refuses("$directive in a named location", $prefix, $store, "location \@v1 { $directive; }");
    refuses("$directive twice", qr/is duplicate/, $store, "location /v1/ { $directive; $directive; }");
    refuses("$directive in server{}", qr/not allowed here/, $store, "$directive;");
    refuses("$directive in if", qr/not allowed here/, $store, "location /v1/ { if (\$arg_x) { $directive; } }");
}
refuses('API and administration in one location', [qr/is duplicate/, qr/either the API or the administration/], $store,
        'location /v1/ { campaign_api; campaign_admin; }');


# receipts

my $receipts = sub { "$gateway campaign_gateway SMS /_gateway/sms; location = /receipts { campaign_receipts $_[0]; }" };

accepts('receipts signed by Twilio', $store, $receipts->('twilio=token twilio_url=https://sms.example.com$request_uri'));
accepts('receipts with every parameter', $store, $receipts->('id=a[0].b id=c status=d reason=e by=gateway_id channel=sms delivered=1,2 failed=3 expired=4 '
                                                              . 'rejected=5 sent=6 secret=x secret_in=field:k reply=OK each=[] each=a.b'));
refuses("campaign_receipts $_->[0]", $_->[1], $store, $receipts->($_->[0]))
    for ['id=a..b', qr/name a field, such as data.message_id/], ['id=a id=b id=c id=d id=e', qr/up to 4 of them/], ['by=both', qr/by is "id" \(ours\) or "gateway_id"/],
        ['delivered=1,,2', qr/values of the status, with commas/], ['each=', qr/name a field/], ['each=a[]', qr/name a field/], ['id=[]', qr/name a field/], ['secret=', qr/a secret that only the gateway knows/], ['secret=a hmac=b', qr/given once, or secret=/],
        ['secret_in=header:X', qr/"secret_in=" without "secret="/], ['hmac_in=header:X', qr/"hmac_in=" without "hmac="/], ['twilio=', qr/auth token/], ['twilio=a secret=b', qr/given once, or hmac=/],
        ['twilio_url=x', qr/"twilio_url=" without "twilio="/], ['twilio=a twilio_url=$nobody_$msec', qr/unknown "nobody_" variable/],
        ['secret=a secret_in=cookie:x', qr/header:Name or field:name/], ['hmac=a hmac_in=field:x', qr/header:Name/], ['colour=red', qr/secret=…, secret_in=…/],
        ['channel=FAX', [qr/channel "FAX" of "campaign_receipts"/, qr/add "campaign_gateway FAX <uri>;"/]];
refuses('campaign_receipts twice', qr/is duplicate: a location serves one directive/, $store, "$gateway location = /r { campaign_receipts; campaign_receipts; }");
refuses('campaign_receipts without a store', qr/"campaign_receipts" in \S+ needs a store/, '', 'location = /r { campaign_receipts; }');
refuses('campaign_receipts in server{}', qr/not allowed here/, $store, 'campaign_receipts;');


# retries and flags

refuses("campaign_retry attempts=$_", [qr/"attempts=$_"/, qr/1 to 100/], "campaign_retry attempts=$_;", '') for '0', '101', 'many', '';
for my $wait ('min', 'max') {
    refuses("campaign_retry $wait=$_", [qr/"$wait=$_"/, qr/a time over 0, such as 500ms/], "campaign_retry $wait=$_;", '') for '0', 'soon', '-1s', '';
}
refuses('campaign_retry with min over max', qr/"min" of "campaign_retry" is greater than its "max"/, 'campaign_retry min=10s max=1s;', '');
refuses('campaign_retry with min over the max of http{}', qr/"min" of "campaign_retry" is greater/, 'campaign_retry max=1s;', 'campaign_retry min=2s;');
refuses('campaign_retry with min over the default max', qr/"min" of "campaign_retry" is greater/, 'campaign_retry min=6m;', '');
refuses('campaign_retry twice', qr/"campaign_retry" directive is duplicate/, 'campaign_retry attempts=1; campaign_retry min=1s;', '');
refuses('an unknown parameter of campaign_retry', [qr/"times=3"/, qr/attempts=\S+ min=\S+ and max=/], 'campaign_retry times=3;', '');
for my $flag ('campaign_redelivery', 'campaign_dispatch') {
    refuses("$flag maybe", qr/invalid value "maybe" in "$flag" directive, it must be "on" or "off"/, "$flag maybe;", '');
    refuses("$flag twice", qr/"$flag" directive is duplicate/, "$flag on; $flag on;", '');
}


is_deeply([glob "$dir/store/{*,.??*}"], [], 'in all that time nothing was created in the store');


# nginx's configure without what the module needs: `config` as it is, with an auto/feature that finds what it is told

# campaign_webhook

my $webhook = 'location /_webhook { internal; resolver 127.0.0.1; campaign_retry attempts=3 min=1s; proxy_pass $campaign_webhook_url; }';

accepts('a webhook', $store, "campaign_webhook /_webhook; $webhook");
accepts('ranges of a webhook', $store, "campaign_webhook /_webhook allow=10.0.0.0/8 allow=fd00::/8 allow=127.0.0.1; $webhook");
refuses('a webhook without its location', qr/no internal location for "\/_webhook".*add "location \/_webhook/, $store, 'campaign_webhook /_webhook;');
refuses('a webhook in a location that is not internal', qr/no internal location/, $store, 'campaign_webhook /_webhook; location /_webhook { return 200; }');
refuses('a webhook by URL', qr/name an internal location/, $store, 'campaign_webhook http://example.com/;');
refuses('two webhooks', qr/is given already, in .*one location serves all/, $store, "campaign_webhook /_webhook; campaign_webhook /_webhook; $webhook");
refuses("a webhook's range $_", qr/allow=10\.1\.0\.0\/16/, $store, "campaign_webhook /_webhook allow=$_; $webhook") for qw(10.0.0.1/8 10/8 ::/129 localhost 10.0.0.0/x);
refuses('another parameter of a webhook', qr/allow=… is known/, $store, "campaign_webhook /_webhook deny=10.0.0.0/8; $webhook");
refuses('a webhook without a store', qr/"campaign_webhook" .*needs a store/, '', "campaign_webhook /_webhook; $webhook");
refuses('a longest wait of a webhook below its shortest', qr/greater than its "max"/, $store,
        'campaign_webhook /_webhook; location /_webhook { internal; campaign_retry min=10s max=1s; }');

sub configure_says {
    my ($threads, $openssl, @found) = @_;

    make_path("$dir/configure/auto");
    open my $out, '>', "$dir/configure/auto/feature" or die "$dir/configure/auto/feature: $!";
    print $out 'ngx_found=no; case " ' . join(' ', @found) . ' " in *" $ngx_feature_libs "*) ngx_found=yes ;; esac';
    close $out;

    my $said = qx(cd "$dir/configure" && USE_THREADS=$threads OPENSSL=$openssl NGX_OBJS=. ngx_addon_dir="$root" sh "$root/config" 2>&1);
    return ($? >> 8, $said);
}

for (['NO', 'YES', [], qr/thread pool:\s+add --with-threads to the arguments of configure/],
     ['YES', 'YES', [], qr/needs the jansson library and its headers:\s+install libjansson-dev/],
     ['YES', 'YES', ['-ljansson'], qr/LMDB .*\s+install liblmdb-dev/],
     ['YES', 'NONE', ['-ljansson', '-llmdb'], qr/OpenSSL .*\s+install libssl-dev/])
{
    my ($threads, $openssl, $found, $message) = @$_;
    my ($status, $said) = configure_says($threads, $openssl, @$found);
    is($status, 1, "configure fails with threads $threads, OpenSSL $openssl and " . (join(' ', @$found) || 'nothing'));
    like($said, $message, 'and names the mend');
}

refuses("an inbound parameter that is none", [qr/invalid parameter "words=STOP" of "campaign_inbound"/, qr/from=…, to=…, text=…, stop=…/], $store,
        'location = /x { campaign_inbound words=STOP; }');
refuses('a word that is too long', qr/words of up to 32 letters and digits/, $store,
        'location = /x { campaign_inbound stop=STOP,123456789012345678901234567890123; }');
refuses('an inbound location that serves the API', qr/a location serves one directive of the module/, $store, 'location /x/ { campaign_api; campaign_inbound; }');
refuses('inbound messages without a store', qr/"campaign_inbound" in .* needs a store/, '', 'location = /x { campaign_inbound; }');
accepts('inbound messages', $store, 'location = /x { campaign_inbound from=From to=To text=Body stop=NO start=GO channel=sms secret=x reply=; }');

done_testing();
