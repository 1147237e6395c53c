package Campaign::Nginx;

# An nginx with a configuration that is given whole: a file of conf/ as it is shipped, but for the addresses in it, or a text.  Below a root of
# its own, ended with the test by the ids of its processes.

use v5.10.1;
use strict;
use warnings;

use Campaign;
use Campaign::Server;
use Carp qw(croak);
use Cwd ();
use File::Path qw(make_path remove_tree);
use IO::Socket::INET;

my $base = Cwd::realpath('.');

# options: file (of the repository) or text; change (text => what replaces it: each has to be there); port (one it listens on)
sub new {
    my ($class, $name, %options) = @_;
    my $root = "$ENV{TEST_NGINX_SERVROOT}-$name";
    my $self = bless { root => $root, conf => "$root/conf/nginx.conf", log => "$root/logs/error.log", pid => "$root/logs/nginx.pid",
                       port => $options{port} }, $class;

    remove_tree($root);
    make_path("$root/conf", "$root/logs");
    make_path("$root/store", { mode => 0700 });

    my $text = $options{text} // slurp("$base/$options{file}");
    my %change = %{ $options{change} // {} };

    for my $old (sort { length $b <=> length $a } keys %change) {
        $text =~ s/\Q$old\E/$change{$old}/g or croak "$name: $old is not in it";
    }

    open my $out, '>', $self->{conf} or croak "$self->{conf}: $!";
    print $out $text;
    close $out or croak "$self->{conf}: $!";

    return $self;
}

sub slurp {
    open my $in, '<', $_[0] or croak "$_[0]: $!";
    local $/;
    return <$in>;
}

sub root { $_[0]{root} }

sub command {
    my ($self, @more) = @_;
    my @user = $> == 0 ? ('-g', 'user root;') : ();
    return ($ENV{TEST_NGINX_BINARY}, '-p', "$self->{root}/", '-c', $self->{conf}, '-e', $self->{log}, @user, @more);
}

# what nginx -t says, and whether it is content
sub tested {
    my $self = shift;
    my $pid = open(my $in, '-|') // croak "fork: $!";

    if ($pid == 0) {
        open STDERR, '>&', \*STDOUT;
        exec $self->command('-t') or POSIX::_exit(127);
    }

    my $said = do { local $/; <$in> } // '';
    close $in;
    return wantarray ? ($? == 0, $said) : $? == 0;
}

sub start {
    my $self = shift;
    system($self->command) == 0 or croak "nginx does not start: $self->{log}";
    wait_for { -s $self->{pid} } or croak 'no pid file';
    ($self->{master}) = slurp($self->{pid}) =~ /(\d+)/;
    $Campaign::Server::masters{ $self->{master} } = 1;
    wait_for { IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port}) } or croak 'nginx does not answer';
    return $self;
}

sub stop {
    my $self = shift;
    return if !$self->{master};
    kill QUIT => $self->{master};
    Campaign::Server::gone(10, $self->{master}) or kill TERM => $self->{master};
    delete $self->{master};
}

# what must not be in its log
sub alerts { join '', grep { /\[(?:alert|crit|emerg)\]|runtime error:|Sanitizer/ } split /^/, eval { slurp($_[0]{log}) } // '' }

1;
