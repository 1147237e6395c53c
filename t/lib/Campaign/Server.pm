package Campaign::Server;

# An nginx of the test's own, for tests that signal, kill, reload and restart it: below the test's server root, at its port, with the store of
# Campaign.  Ended with the test, by the ids of its processes.

use v5.10.1;
use strict;
use warnings;

use Campaign;
use Carp qw(croak);
use File::Path qw(make_path remove_tree);
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep time);

my $root = $ENV{TEST_NGINX_SERVROOT};
my $port = $ENV{TEST_NGINX_SERVER_PORT};

our %masters;       # that may be alive

# writes the configuration and starts it; options: main, http and server (what else there is, outside of blocks and in these), workers,
# connections (of each), size and store (other parameters of the store), level (of the error log), env (a hash: of nginx alone)
sub new {
    my ($class, %options) = @_;
    my $self = bless { conf => "$root/conf/nginx.conf", log => "$root/logs/error.log", pid => "$root/logs/nginx.pid",
                       env => $options{env} // {} }, $class;

    remove_tree($root);
    make_path("$root/conf", "$root/logs");

    $self->configure(%options);
    $self->start;
    return $self;
}

# writes the configuration anew: these options are other ones from now on, once it is signalled HUP
sub configure {
    my ($self, %change) = @_;
    my %options = %{ $self->{options} = { %{ $self->{options} // {} }, %change } };

    my $user = $> == 0 ? 'user root;' : '';
    my $store = store_dir();

    open my $out, '>', $self->{conf} or croak "$self->{conf}: $!";
    print $out <<"END";
$user
worker_processes @{[ $options{workers} // 2 ]};
error_log logs/error.log @{[ $options{level} // 'info' ]};
env ASAN_OPTIONS;
env UBSAN_OPTIONS;
@{[ $options{main} // '' ]}
pid logs/nginx.pid;
events { worker_connections @{[ $options{connections} // 1024 ]}; }
http {
    access_log off;
    client_max_body_size 32m;
    @{[ map { "${_}_temp_path $root/${_}_temp;" } qw(client_body proxy fastcgi uwsgi scgi) ]}
    campaign_store $store size=@{[ $options{size} // '1g' ]} @{[ $options{store} // '' ]};
    campaign_retry attempts=5 min=20ms max=100ms;
    $Campaign::HttpConfig
    @{[ $options{http} // '' ]}
    server {
        listen 127.0.0.1:$port;
        location = /ready { return 204; }
        location /v1/ { campaign_api; }
        location /admin/ { campaign_admin; }
        @{[ $options{server} // '' ]}
    }
}
END
    close $out or croak "$self->{conf}: $!";
}

sub start {
    my $self = shift;

    local %ENV = (%ENV, %{ $self->{env} });
    system($ENV{TEST_NGINX_BINARY}, '-p', "$root/", '-c', $self->{conf}, '-e', $self->{log}) == 0 or croak 'nginx does not start';
    wait_for { -s $self->{pid} } or croak 'no pid file';
    $self->{master} = $self->master;
    $masters{ $self->{master} } = 1;
    wait_for { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) } or croak 'nginx does not answer';
}

sub master {
    my $self = shift;
    open my $in, '<', $self->{pid} or return undef;
    my ($pid) = (<$in> // '') =~ /(\d+)/;
    $masters{$pid} = 1 if $pid;
    return $pid;
}

sub signal {
    my ($self, $signal, $pid) = @_;
    kill $signal => $pid // $self->{master} or croak "$signal: $!";
}

# those of this master, or of another one
sub workers { children($_[1] // $_[0]{master}) }

sub children {
    my $parent = shift;
    my @children;

    for my $stat (glob '/proc/[0-9]*/stat') {
        open my $in, '<', $stat or next;
        my ($pid, $state, $ppid) = (<$in> // '') =~ /\A(\d+) \(.*\) (\S) (\d+) /s or next;
        push @children, $pid if $ppid == $parent && $state ne 'Z';
    }
    return @children;
}

# whose parent, a child of init or of the test, nobody waits for: a zombie is dead when its last thread is, which may be in a call of the kernel still
sub alive {
    for my $file (glob "/proc/$_[0]/task/*/stat") {
        open my $in, '<', $file or next;
        return 1 if (<$in> // '') =~ /\) [^ZX] /;
    }
    return 0;
}

# the worker that took over last
sub dispatcher {
    my $self = shift;
    my ($pid) = $self->log_text =~ /.* (\d+)#\d+: [^\n]*dispatcher: took over/s;
    return $pid && alive($pid) ? $pid : undef;
}

sub log_text {
    my $self = shift;
    open my $in, '<', $self->{log} or return '';
    local $/;
    return <$in> // '';
}

# what must not be in the log: these lines, but for those that match
sub alerts {
    my ($self, $but) = @_;
    return join '', grep { /\[(?:alert|crit|emerg)\]|runtime error:|Sanitizer/ && !($but && /$but/) } map { "$_\n" } split /\n/, $self->log_text;
}

# graceful
sub quit {
    my $self = shift;
    $self->signal('QUIT');
    return gone(20, $self->{master});
}

# all at once, as when the power goes
sub crash {
    my $self = shift;
    my @all = ($self->{master}, $self->workers);
    kill KILL => @all;
    gone(10, @all) or croak 'kill -9 has not ended it';
    unlink $self->{pid};
}

sub gone {
    my ($seconds, @pids) = @_;
    return wait_for { !grep { alive($_) } @pids } $seconds;
}

my $parent = $$;

END {
    if ($$ == $parent) {
        local $?;
        for my $master (grep { alive($_) } keys %masters) {
            my @all = ($master, children($master));
            kill TERM => $master;
            gone(5, @all) or kill KILL => @all;
        }
    }
}

1;
