# Receivers of webhooks that misbehave, each with an account of its own: what they do is a delivery, or a failure that is tried again and then given
# up; nothing inside is reached, and the events of another account arrive, each once and in time.

use lib 't/lib';
use Campaign;
use Campaign::Hostile;
use Campaign::Sending;
use Test::Nginx::Socket 'no_plan';

my $port = hostile_port(store_dir() =~ s/-store\z/-asked/r);

gateway(sub { 200 });

sub url { "http://127.0.0.1:$port/hostile/$_[0]" }

$Campaign::Config .= channel('FINE', 'receipts=off') . <<'END';
campaign_webhook /_webhook allow=127.0.0.1;
location /_webhook {
    internal;
    resolver 127.0.0.1;
    campaign_retry attempts=2 min=20ms max=50ms;
    proxy_pass $campaign_webhook_url;
    proxy_read_timeout 4s;
    proxy_set_header Host $campaign_webhook_host;
    proxy_set_header Connection "";
    proxy_set_header X-Dexatel-Signature $campaign_webhook_signature;
}
location /_secret { internal; proxy_pass http://told/secret; }
location @secret { rewrite ^ /secret break; proxy_pass http://told; }
END

# what a receiver's behaviour is to a webhook, from what it is to a message: its result, events that failed, how often it was asked
sub results {
    my ($name, $message) = @_;
    my ($fine, $failed) = ('delivered 2\d\d, 0 failed, asked 1', '1 failed, asked 2');
    my ($status) = $name eq 'moved_outside' ? 307 : $name =~ /\A(?:moved|accel_redirect)/ ? 302 : $name =~ /\Astatus_(999)\z/;
    return qr/\Astatus $status, $failed\z/ if $status;
    return qr/\A(?:$fine|timeout, $failed)\z/ if ref $message;
    return $message eq 'sent' ? qr/\A$fine\z/ : qr/\Atimeout, $failed\z/;
}

run_tests();

__DATA__

=== TEST 1: each receiver has its outcome, nothing inside is reached, and a healthy receiver does not notice
--- check
my $healthy = account(rate => 100, burst => 1);
my $hook = $healthy->make('/webhooks', { url => 'http://127.0.0.1:' . gateway()->port . '/healthy', event => 'delivery' });
my %hostile;
for (behaviours()) {
    my $a = $hostile{ $_->[0] } = account();
    $a->{hook} = '/webhooks/' . $a->make('/webhooks', { url => url($_->[0]), event => 'delivery' })->{id};
}
my $c = start($healthy, 'FINE', to => [numbers(600)]);
answered($_->post("$_->{hook}/test"), 201, 'a test event') for values %hostile;

for (behaviours()) {
    my ($name, undef, $want) = @$_;
    my $a = $hostile{$name};
    wait_for { my $w = $a->get($a->{hook})->data; $w->{waiting} == 0 && $w->{last_result} } 30;
    my $w = $a->get($a->{hook})->data;
    my $is = join(' ', grep { defined } @$w{qw(last_result last_code)}) . ", $w->{failed} failed, asked " . (hostile_asked()->{$name} // 0);
    like($is, results($name, $want), $name);
}

is(counts(settled($healthy, $c, 30)), 'completed: 600 delivered of 600', 'the healthy account');
wait_for { $healthy->get("/webhooks/$hook->{id}")->data->{waiting} == 0 } 20;
my $w = $healthy->get("/webhooks/$hook->{id}")->data;
is(join(' ', @$w{qw(waiting failed dropped last_result)}), '0 0 0 delivered', 'its webhook');
my %left = map { decode($_->{body})->{data}{to}[0] => $_->{time} } requests('FINE');
my %told = map { decode($_->{body})->{data}{to} => $_->{time} } gateway()->requests('/healthy');
is(scalar @{[ gateway()->requests('/healthy') ]}, 600, 'got each event once');
is(scalar keys %told, 600, 'of all messages');
my ($late) = sort { $b <=> $a } map { $told{$_} - $left{$_} } keys %told;
cmp_ok($late, '<', 1, 'no later than a second after its message') or diag sprintf 'the longest: %.2f s', $late;
is(scalar @{[ requests('SECRET') ]}, 0, 'no internal location was reached');
