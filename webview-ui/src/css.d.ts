/**
 * Style sheets are emitted beside the script by the bundler; importing one yields nothing to use.
 */
declare module "*.css";
