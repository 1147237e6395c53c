package Bench::Server;

# An nginx of one worker with the module, below build/bench/<name>, and what a case wants from it: accounts, audiences, campaigns.

use v5.10.1;
use strict;
use warnings;

use Carp qw(croak);
use File::Path qw(make_path remove_tree);
use JSON::PP ();
use Time::HiRes qw(sleep);

# Messages of SMS keep the id that the gateway's reply has, those of VIBER do not; BROAD and WIDE are SMS with two and four times as many under way.
# Receipts come for RCS, with our ids, and for MMS, with the gateway's.
#
# options: fill, code that gets the store's empty directory before the start; gateway, a Bench::Gateway (without one nothing is dispatched);
# concurrency; durability; location, what delivers in place of a proxy to the gateway; http and server, more lines of these blocks; main, before
# them all
sub new {
    my ($class, $name, %option) = @_;
    my $root = "$ENV{CAMPAIGN_BENCH_DIR}/$name";
    my $self = bless { name => $name, root => $root, port => Bench::Process::free_port() }, $class;

    remove_tree($root);
    make_path("$root/logs");
    make_path("$root/store", { mode => 0700 });
    $option{fill}->("$root/store") if $option{fill};

    open my $conf, '>', "$root/nginx.conf" or croak "$root/nginx.conf: $!";
    print $conf $self->configuration(%option);
    close $conf or croak "$root/nginx.conf: $!";

    system($ENV{CAMPAIGN_BENCH_NGINX}, '-p', "$root/", '-c', "$root/nginx.conf", '-e', "$root/logs/error.log") == 0
        or croak "nginx does not start (see $root/logs/error.log)";
    $self->{master} = Bench::Process->adopt($self->read_pid);
    $self->profile if $ENV{CAMPAIGN_BENCH_PROFILE};
    return $self;
}

sub configuration {
    my ($self, %option) = @_;
    my $root = $self->{root};
    my $user = $> == 0 ? 'user root;' : '';
    my $temp = join ' ', map { "${_}_temp_path $root/${_}_temp;" } qw(client_body proxy fastcgi uwsgi scgi);
    my $concurrency = $option{concurrency} // 256;
    my $dispatch = $option{gateway} || $option{location} ? 'on' : 'off';
    my $durability = $option{durability} // 'full';
    my $port = $option{gateway} ? $option{gateway}->port : 9;
    my ($main, $http, $server) = map { $_ // '' } @option{qw(main http server)};
    my $location = $option{location} // <<'END';
            proxy_pass                  http://gateway/v1/messages;
            proxy_method                POST;
            proxy_pass_request_headers  off;
            proxy_set_header            Content-Type     application/json;
            proxy_set_header            Idempotency-Key  $campaign_message_id;
            proxy_set_body              $campaign_body;
END

    return <<"END";
$user
worker_processes 1;
error_log logs/error.log;
pid logs/nginx.pid;
$main
events { worker_connections 4096; }
http {
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    client_max_body_size 64m;
    client_body_buffer_size 64k;
    $temp

    campaign_store $root/store size=16g durability=$durability;
    campaign_dispatch $dispatch;

    upstream gateway {
        server 127.0.0.1:$port;
        keepalive 1024;
        keepalive_requests 1000000000;
    }

    $http

    server {
        listen 127.0.0.1:$self->{port} backlog=2048;

        location /v1/ { campaign_api; }
        location /admin/ { campaign_admin; }

        campaign_gateway SMS /_gateway concurrency=$concurrency receipts=off;
        campaign_gateway VIBER /_gateway concurrency=$concurrency receipts=off id=off;
        campaign_gateway BROAD /_gateway concurrency=512 receipts=off;
        campaign_gateway WIDE /_gateway concurrency=1024 receipts=off;
        campaign_gateway RCS /_gateway concurrency=$concurrency;
        campaign_gateway MMS /_gateway concurrency=$concurrency;

        location /receipts { campaign_receipts channel=MMS by=gateway_id; }

        proxy_http_version 1.1;
        proxy_set_header Connection "";

        location /_gateway {
            internal;
$location
        }

        # what a client's request to the same gateway costs
        location /proxied {
            proxy_pass http://gateway/v1/messages;
        }

        $server
    }
}
END
}

sub read_pid {
    my $self = shift;
    my $pid;
    Bench::wait_for(10, "nginx's pid (see $self->{root}/logs/error.log)", sub {
        open my $in, '<', "$self->{root}/logs/nginx.pid" or return 0;
        ($pid) = (<$in> // '') =~ /(\d+)/;
        return $pid;
    });
    return $pid;
}

sub worker {
    my $self = shift;
    return $self->{worker} //= do {
        my ($pid, $master) = (undef, $self->{master}->pid);
        Bench::wait_for(10, 'a worker of nginx', sub {
            open my $in, '<', "/proc/$master/task/$master/children" or croak "no children of nginx: $!";
            return $pid = (split ' ', <$in> // '')[0];
        });
        $pid;
    };
}

# ns that all threads of the worker were on a CPU
sub cpu { Bench::Process::cpu_of($_[0]->worker) }

# bytes of the worker's memory: anonymous, and of files (the store's, mapped)
sub memory {
    my $self = shift;
    open my $in, '<', '/proc/' . $self->worker . '/status' or croak "status: $!";
    my %kb = map { /^(\w+):\s+(\d+) kB/ ? ($1, $2) : () } <$in>;
    return ($kb{RssAnon} * 1024, ($kb{RssFile} + $kb{RssShmem}) * 1024);
}

# bytes of the store's file that are in use: pages that a free list does not have
sub used_bytes {
    my $self = shift;
    my ($size, $used, $free) = qx(mdb_stat -e -f $self->{root}/store) =~ /Page size: (\d+).*pages used: (\d+).*Free pages: (\d+)/s
        or croak 'mdb_stat cannot read the store';
    return $size * ($used - $free);
}

sub url { "http://127.0.0.1:$_[0]{port}$_[1]" }
sub client { Bench::Client->new($_[0]{port}, $_[1]) }

# a client of a new account that may send as fast as there is
sub account {
    my ($self, %data) = @_;
    my $account = $self->client->ask(POST => '/admin/accounts', { name => 'bench', rate => 1_000_000, %data });
    my $client = $self->client($account->{api_key});
    @$client{qw(key account)} = @$account{qw(api_key id)};
    $client->ask(POST => '/v1/senders', { name => 'Acme', channel => $_ }) for qw(SMS VIBER BROAD WIDE RCS MMS);
    return $client;
}

# id of a new audience of $n contacts
sub audience {
    my ($self, $client, $n, $channel) = @_;
    $channel //= 'SMS';
    my $id = $client->ask(POST => '/v1/audiences', { name => "$channel $n", channel => $channel })->{id};
    $client->call(POST => "/v1/audiences/$id/contacts", 'text/csv', Bench::contacts($n));
    return $id;
}

# id of a new campaign
sub campaign {
    my ($self, $client, %data) = @_;
    return $client->ask(POST => '/v1/campaigns', {
        from => 'Acme', channel => 'SMS', text => 'Hello {first_name|friend}, our sale starts today.', %data
    })->{id};
}

# so many, in a few commits
sub campaigns {
    my ($self, $client, $n, %data) = @_;
    my $body = JSON::PP::encode_json({ data => { from => 'Acme', channel => 'SMS', text => 'Hello {first_name|friend}, our sale starts today.', %data } });
    my $request = $client->request(POST => '/v1/campaigns', 'application/json', $body);
    my @clients = map { $self->client } 1 .. $n;

    $_->send($request) for @clients;
    for (@clients) {
        my ($status, $got) = $_->answer;
        croak "POST /v1/campaigns: $status $got" if $status != 201;
    }
}

# ns of the worker a message that the gateway has counted, while the code runs
sub cost {
    my ($self, $gateway, $code) = @_;
    my ($count, $cpu) = ($gateway->count, $self->cpu);
    $code->();
    return ($self->cpu - $cpu) / ($gateway->count - $count);
}

# sends a campaign of $n messages and waits until all of them are recorded
sub send {
    my ($self, $client, $gateway, $audience, $n, $channel) = @_;
    my $end = $gateway->count + $n;
    my $id = $self->campaign($client, audience => $audience, channel => $channel // 'SMS');
    Bench::wait_for(300, "$n deliveries", sub { $gateway->count >= $end });
    $self->completed($client, $id);
    return $id;
}

sub completed {
    my ($self, $client, $id) = @_;
    Bench::wait_for(300, 'the end of the campaign', sub { $client->get("/v1/campaigns/$id") =~ /"status":"completed"/ });
}

# samples the worker's stacks until the server stops
sub profile {
    my $self = shift;
    my $data = "$ENV{CAMPAIGN_BENCH_PROFILE}/$self->{name}.perf";
    unlink $data;
    $self->{perf} = Bench::Process->start("$data.log", qw(perf record -q -e cpu-clock -F 499 --call-graph), 'dwarf,4096', '-o', $data,
                                          '-p', $self->worker);
}

sub stop {
    my $self = shift;
    $self->{perf}->stop('INT') if $self->{perf};
    $self->{master}->stop;
    remove_tree($self->{root});
}

1;
