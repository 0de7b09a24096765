/** What `user --help` prints. */
export const USER_HELP = `Usage: rport-backend user list
       rport-backend user add NAME [--administrator] [--group NAME]... [--display-name TEXT]
       rport-backend user passwd NAME
       rport-backend user disable NAME [--dry-run]
       rport-backend user enable NAME
       rport-backend user token NAME --name TEXT [--scope SCOPE] [--days N]
       rport-backend user invite [--administrator] [--group NAME]... [--display-name TEXT]

Manages the people of the backend that is running, as an administrator would. Passwords are asked for
on the terminal, or read from the standard input; they are never arguments.

      --administrator      a member of the group Administrators, who may do everything
      --group NAME         a group that exists; may be given more than once
      --display-name TEXT  what the person is called
      --expired            with add and passwd: whoever signs in has to choose another password
      --dry-run            with disable: only tell what would end
      --name TEXT          what the token is called, such as what uses it
      --scope SCOPE        read, read+write or clients-auth          read+write
      --days N             how long the token works; 0 without end   365
      --data-dir DIR       where the backend keeps everything; also -c and RPORT_SERVER_DATA_DIR
  -c, --config FILE
  -h, --help

"token" and "invite" print what they make on the standard output, and nothing else there.

Exit status: 0 done, 1 refused by the backend, 2 wrong flags, 69 no backend runs.`;
