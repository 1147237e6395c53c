# Gateways that misbehave: each message ends as it should, nothing inside is reached, and another account's messages do not notice.
#
# One server with a behaviour for each text that it gets (Campaign::Hostile); each is a campaign of one message, tried once.

use lib 't/lib';
use Campaign;
use Campaign::Hostile;
use Campaign::Sending;
use Test::Nginx::Socket 'no_plan';

my $port = hostile_port(store_dir() =~ s/-store\z/-asked/r);

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
my %started = map { $_->[0] => $bad->make('/campaigns', { from => 'Acme', channel => 'HOSTILE', text => $_->[0], to => [numbers(1)] }) } behaviours();
for (behaviours()) {
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
my $asked = hostile_asked();
is(json([grep { ($asked->{$_} // 0) != 1 } map { $_->[0] } behaviours()]), '[]', 'the hostile gateway was asked once for each');
