# Somebody cuts data.mdb off under a running nginx: workers that read behind its end die, those that come after them do not, say what is wrong, and
# serve again once the file is restored.

use v5.10.1;
use strict;
use warnings;

use lib 't/lib';
use Campaign;
use Campaign::Fault;
use Campaign::Sending;
use Campaign::Server;
use File::Copy qw(copy);
use Test::More;
use Time::HiRes qw(sleep time);

plain_only();                                   # a sanitizer's own handler of SIGBUS would report each death

gateway(sub { { delay => 0.005 } });

my $data = store_dir() . '/data.mdb';
my $server = Campaign::Server->new(workers => 2, server => channel('CUT', 'concurrency=4'));
my $account = account(rate => 100, burst => 1);
$account->sender(channel => 'CUT');
my $template = $account->make('/templates', { name => 'kept', channel => 'CUT', text => 'Hello' });
$server->quit;
copy($data, "$data.backup") or die "$data: $!";

sub deaths { scalar(() = $server->log_text =~ /exited on signal 7/g) }
sub status { my $r = eval { nobody($account->key)->get("/templates/$template->{id}") }; $r ? $r->status : 599 }

$server->start;
$account->make('/campaigns', { name => 'cut', from => 'Acme', text => 'Hello', channel => 'CUT', to => [numbers(1000)] });
ok(wait_for(sub { requests('CUT') >= 20 }), 'a campaign is under way');
truncate $data, (-s $data) / 4 & ~4095 or die "$data: $!";

ok(wait_for(sub { status() == 503 }, 20), 'requests are refused');
is(scalar(grep { status() != 503 } 1 .. 50), 0, 'each of them');
cmp_ok(deaths(), '>=', 1, 'a worker has died of it');
my $deaths = deaths();
my $said = () = $server->log_text =~ /data\.mdb was cut off/g;
ok(wait_for(sub { (() = $server->log_text =~ /data\.mdb was cut off/g) > $said }, 20), 'the store is looked at again');
is(deaths(), $deaths, 'and no worker dies any more');
cmp_ok($deaths, '<=', 4, 'each one of those that had it open did, once');
is($server->workers, 2, 'the workers are there');

ok($server->quit && ($server->start, 1), 'nginx is started again');
is(status(), 503, 'it refuses, too');
ok(wait_for(sub { ($server->log_text =~ /.*exit\b(.*)/s)[0] =~ /data\.mdb was cut off, what was behind its \d+ bytes is lost: restore it/ }), 'and says why');
is(deaths(), $deaths, 'and no worker dies');

rename "$data.backup", $data or die "$data: $!";
ok(wait_for(sub { status() == 200 }), 'the file is restored, and served at once');
is(nobody($account->key)->get("/templates/$template->{id}")->data->{name}, 'kept', 'what was in it is there');
ok(!-e "$data.cut", 'nothing is left of it');
$server->quit;

done_testing();
