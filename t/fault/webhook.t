# Events that wait for a webhook when the server is stopped, or its workers die.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Sending;
use Campaign::Server;
use Test::More;

gateway(sub { my $r = shift; $r->{path} =~ /down/ && !$r->{told}{up} ? 503 : $r->{path} =~ /held/ && $r->{try} == 1 ? { until => 'never' } : 200 });

my $server = Campaign::Server->new(workers => 2, server => channel('HEARD', 'receipts=off') . <<'END');
campaign_webhook /_webhook allow=127.0.0.1;
location /_webhook {
    internal;
    campaign_retry attempts=50 min=100ms max=200ms;
    proxy_pass $campaign_webhook_url;
    proxy_read_timeout 4s;
    proxy_set_header Host $campaign_webhook_host;
    proxy_set_header Connection "";
    proxy_set_header Idempotency-Key $campaign_webhook_id;
}
END

my $many = 200;
my $account = account();
my $base = 'http://127.0.0.1:' . gateway()->port;
my $w = $account->make('/webhooks', { url => "$base/down", event => 'delivery' });
my $held = $account->make('/webhooks', { url => "$base/held", event => 'campaign' });

is(counts(settled($account, start($account, 'HEARD', to => [numbers($many)]))), "completed: $many delivered of $many", 'a campaign');
is($account->get("/webhooks/$w->{id}")->data->{waiting}, $many, 'an event waits for each message');
ok(wait_for(sub { requests('HELD') >= 1 }), 'another one is on its way');

ok($server->quit, 'the server is stopped');
$server->start;
is($account->get("/webhooks/$w->{id}")->data->{waiting}, $many, 'they wait');
ok(wait_for(sub { requests('HELD') >= 2 }), 'what was on its way is sent again');
my @r = requests('HELD');
is($r[0]{id}, $r[1]{id}, 'with the same id');

$server->crash;
$server->start;
is($account->get("/webhooks/$w->{id}")->data->{waiting}, $many, 'they wait after a crash, too');
gateway()->tell('up');
ok(wait_for(sub { $account->get("/webhooks/$w->{id}")->data->{waiting} == 0 }, 30), 'and all are told');
my %told = map { decode($_->{body})->{data}{message_id} => 1 } requests('DOWN');
is(scalar keys %told, $many, 'each of its own message');
is($account->get("/webhooks/$w->{id}")->data->{failed}, 0, 'none failed');
is($server->alerts, '', 'nothing in the log');

done_testing();
